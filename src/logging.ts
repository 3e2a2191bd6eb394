/** The Logger of the runtime over winston: one JSON line per entry, never throwing, never forged by a field. */

import { configure } from 'safe-stable-stringify';
import { createLogger, format, transports, type Logger as WinstonLogger } from 'winston';
import type { Clock } from './clock.ts';
import type { LogFields, Logger } from './kube/logger.ts';

/** In order of weight. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
/** One of `LOG_LEVELS`. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** `text` is for people at a terminal. */
export const LOG_FORMATS = ['json', 'text'] as const;
/** One of `LOG_FORMATS`. */
export type LogFormat = (typeof LOG_FORMATS)[number];

/** What is written, and how. */
export interface LoggingOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly clock: Clock;
  /** Where lines go; default: standard error. */
  readonly stream?: NodeJS.WritableStream | undefined;
}

/** Keys that belong to the line itself; a field of such a name is written as `field.<name>`. */
const RESERVED: ReadonlySet<string> = new Set(['ts', 'level', 'msg']);

/** Deep or wide values are cut: a log line is not a dump. */
const stringify = configure({
  maximumDepth: 6,
  maximumBreadth: 50,
  circularValue: '[circular]',
  bigint: true,
});

/** The only place where a logger is made; everybody else is handed one. */
export function createLogging(options: LoggingOptions): Logger {
  const stream = options.stream ?? process.stderr;
  const sink = createLogger({
    level: options.level,
    levels: { error: 0, warn: 1, info: 2, debug: 3 },
    format: format.printf((entry) => String(entry.message)),
    // Its typings declare the built-in transports as interfaces that are no TransportStream.
    transports: new transports.Stream({ stream }) as never,
  });
  return new WinstonFacade(sink, options, {});
}

class WinstonFacade implements Logger {
  readonly #sink: WinstonLogger;
  readonly #options: LoggingOptions;
  readonly #fields: LogFields;
  readonly #threshold: number;

  constructor(sink: WinstonLogger, options: LoggingOptions, fields: LogFields) {
    this.#sink = sink;
    this.#options = options;
    this.#fields = fields;
    this.#threshold = LOG_LEVELS.indexOf(options.level);
  }

  debug(message: string, fields?: LogFields): void {
    this.#write('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#write('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#write('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#write('error', message, fields);
  }

  child(fields: LogFields): Logger {
    return new WinstonFacade(this.#sink, this.#options, { ...this.#fields, ...fields });
  }

  /** The level is checked here because winston spends 2 µs on a line it then drops. */
  #write(level: LogLevel, msg: string, fields: LogFields = {}): void {
    if (LOG_LEVELS.indexOf(level) < this.#threshold) return;
    const ts = new Date(this.#options.clock.now()).toISOString();
    const plain = plainFields({ ...this.#fields, ...fields });
    const line =
      this.#options.format === 'json'
        ? jsonLine({ ts, level, msg }, plain)
        : textLine({ ts, level, msg }, plain);
    this.#sink.log(level, line);
  }
}

interface LineHead {
  readonly ts: string;
  readonly level: LogLevel;
  readonly msg: string;
}

/** Head first, then fields in order of their names. */
function jsonLine(head: LineHead, fields: LogFields): string {
  const start = JSON.stringify(head).slice(0, -1);
  const rest = stringify(fields);
  return rest === '{}' ? `${start}}` : `${start},${rest.slice(1)}`;
}

function textLine({ ts, level, msg }: LineHead, fields: LogFields): string {
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${textValue(value)}`);
  return [ts, level.toUpperCase().padEnd(5), singleLine(msg), ...pairs].join(' ');
}

function textValue(value: unknown): string {
  return typeof value === 'string' && /^[\w./:@-]+$/.test(value) ? value : (stringify(value) ?? 'undefined');
}

/** A message with line feeds could pass for several entries. */
function singleLine(text: string): string {
  return text.replace(/[\r\n]+/g, String.raw`\n`);
}

function plainFields(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [RESERVED.has(name) ? `field.${name}` : name, plainError(value)]),
  );
}

/** Errors have no enumerable members and would print as `{}`; only what is known to be harmless is taken. */
function plainError(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const { code, reason, status } = value as Error & Readonly<Record<'code' | 'reason' | 'status', unknown>>;
  return {
    type: value.name,
    message: value.message,
    ...(code === undefined ? {} : { code }),
    ...(reason === undefined ? {} : { reason }),
    ...(status === undefined ? {} : { status }),
    stack: value.stack
      ?.split('\n')
      .slice(1, 8)
      .map((line) => line.trim()),
  };
}
