/** An ImageSource from a YAML or JSON file, checked as the API server would. */

import { type Document, LineCounter, parseAllDocuments } from 'yaml';

import type { ImageSource } from '../api/image-source.ts';
import { parseImageSource } from '../api/parse.ts';
import { badInput, CliError, EXIT } from './io.ts';

/** The first ImageSource of the file. */
export function readImageSource(text: string, path: string): ImageSource {
  const objects = readDocuments(text, path);
  const found = objects.find((object) => kindOf(object) === 'ImageSource');
  if (found === undefined) throw badInput(path, 'holds no ImageSource');
  const result = parseImageSource(found);
  if (result.ok) return result.value;
  throw new CliError(`${path}: not a valid ImageSource:\n  ${result.error.join('\n  ')}`, EXIT.badInput);
}

/** Every document of the file, unchecked. */
export function readDocuments(text: string, path: string): readonly unknown[] {
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter });
  if (!Array.isArray(documents)) return [];
  return documents.map((document: Document.Parsed) => {
    const [error] = document.errors;
    if (error === undefined) return document.toJS() as unknown;
    const { line, col } = lineCounter.linePos(error.pos[0]);
    throw new CliError(`${path}:${line}:${col}: ${error.message.split('\n', 1)[0] ?? ''}`, EXIT.badInput);
  });
}

/** `kind` of a document, if it is an object. */
export function kindOf(object: unknown): unknown {
  return typeof object === 'object' && object !== null && 'kind' in object ? object.kind : undefined;
}
