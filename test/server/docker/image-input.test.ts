import { describe, expect, it } from 'vitest';
import { type PresentImage, readImageInput } from '../../../src/server/docker/image-input.ts';
import { parseJsonText } from '../../../src/server/docker/json-text.ts';
import { shippedCatalogue } from '../../support/records-api.ts';

const catalogue = shippedCatalogue();
const VALID = {
  name: 'demo',
  version: '1.0',
  url: 'reg.example.com/demo:1.0',
  registry_url: 'reg.example.com',
  cuda_version: '11.1',
  framework: 1,
  domain: 'ic',
  tasks: ['Train'],
  min_hardware_generation: 'Pascal',
  licence: 'MIT',
};

/** What is read, or the errors; `json` is a body as it is sent. */
function read(
  json: string,
  options: { readonly partial?: boolean; readonly present?: PresentImage } = {},
): unknown {
  const body = parseJsonText(json);
  if (!body.ok) throw new Error(body.error);
  const result = readImageInput(body.value, { catalogue, partial: false, ...options });
  return result.ok ? result.value : result.error;
}

/** A valid body with one member as written here. */
function withMember(name: string, json: string): string {
  return `${JSON.stringify({ ...VALID, [name]: undefined }).slice(0, -1)},${JSON.stringify(name)}:${json}}`;
}

describe('a single field', () => {
  it.each([
    ['name', '"  spaced  "', 'spaced'],
    ['name', '1.50', '1.5'],
    ['name', '7', '7'],
    ['name', `"${'é'.repeat(64)}"`, 'é'.repeat(64)],
    ['name', `"${'😀'.repeat(64)}"`, '😀'.repeat(64)],
    ['url', `"reg.example.com/a@sha256:${'0'.repeat(64)}"`, `reg.example.com/a@sha256:${'0'.repeat(64)}`],
    ['cpu', '"ON"', true],
    ['cpu', '0.0', false],
    ['cpu', '1', true],
    ['licence', '"Mozilla Public License 2.0"', 'Mozilla Public License 2.0'],
    ['registry_username', 'null', null],
    ['registry_password', '12345', '12345'],
  ])('%s %s becomes %j', (name, json, value) => {
    const present = { cpu: false, hasGeneration: true, hasCuda: true, hasUsername: true };
    expect(read(withMember(name, json), { present })).toMatchObject({ [name]: value });
  });

  it.each([
    ['name', 'null', 'This field may not be null.'],
    ['name', 'true', 'Not a valid string.'],
    ['name', '{}', 'Not a valid string.'],
    ['name', '["a"]', 'Not a valid string.'],
    ['name', '"\\u0000"', 'Null characters are not allowed.'],
    ['name', '"\\ud800"', 'Surrogate characters are not allowed.'],
    ['name', `"${'😀'.repeat(65)}"`, 'Ensure this field has no more than 64 characters.'],
    ['registry_password', '""', 'This field may not be blank.'],
    ['url', '"https://reg.example.com/a:1"', 'image is a reference, not a URL: remove the scheme'],
    [
      'url',
      '"ubuntu:22.04"',
      "image must begin with the registry's host, such as docker.io/library/nginx instead of nginx",
    ],
    [
      'url',
      '"reg.example.com/a"',
      'image needs a tag, a digest or both, such as registry.example.org/team/app:1.2',
    ],
    ['cuda_version', 'null', 'This field may not be null.'],
    ['cuda_version', 'true', 'Object with version=True does not exist.'],
    ['cuda_version', '11.10', 'Object with version=11.10 does not exist.'],
    ['cuda_version', '"1e1"', 'Object with version=1e1 does not exist.'],
    ['cuda_version', '["11.1"]', "“['11.1']” value must be a decimal number."],
    ['framework', '"one"', 'Incorrect type. Expected pk value, received str.'],
    ['framework', '[1]', 'Incorrect type. Expected pk value, received list.'],
    ['framework', '1.5', 'Invalid pk "1.5" - object does not exist.'],
    ['framework', 'null', 'This field may not be null.'],
    ['domain', '{"a": null}', "Object with name={'a': None} does not exist."],
    ['domain', '"IC"', 'Object with name=IC does not exist.'],
    ['tasks', '{"Train": 1}', 'Expected a list of items but got type "dict".'],
    ['tasks', '[null]', 'This field may not be null.'],
    ['tasks', '["Train", 7, "Fly"]', 'Object with name=7 does not exist.'],
    ['cpu', '2', 'Must be a valid boolean.'],
    ['cpu', '[]', 'Must be a valid boolean.'],
  ])('%s %s is refused', (name, json, message) => {
    expect(read(withMember(name, json))).toEqual({ [name]: [message] });
  });

  it.each(['11.1', '"11.1"', '" 11.1 "', '"011.1"', '11.1'])('cuda_version %s is the row 11.1', (json) => {
    expect(read(withMember('cuda_version', json))).toMatchObject({ cuda_version: { pk: 10 } });
  });
});

describe('all fields together', () => {
  it('tell everything that is wrong at once, in the order of the original', () => {
    const errors = read('{"licence": "x", "name": null, "cpu": 7, "framework": true, "tasks": "Train"}');
    expect(Object.keys(errors as object)).toEqual([
      'name',
      'version',
      'url',
      'registry_url',
      'cuda_version',
      'framework',
      'domain',
      'tasks',
      'min_hardware_generation',
      'cpu',
      'licence',
    ]);
  });

  it.each(['[]', '7', '"a"', 'true'])('are not in %s', (json) => {
    expect(read(json)).toMatchObject({
      non_field_errors: [
        expect.stringMatching(/^Invalid data\. Expected a dictionary, but got (list|int|str|bool)\.$/),
      ],
    });
  });

  it('need hardware and CUDA unless the image uses no GPU', () => {
    expect(read(withMember('cuda_version', '"0.0"'))).toEqual({
      cuda_version: ['A GPU image needs a CUDA version: 0.0 is for cpu images.'],
    });
    expect(
      read(JSON.stringify({ ...VALID, cuda_version: '0.0', cpu: true, min_hardware_generation: null })),
    ).toMatchObject({ min_hardware_generation: null });
    const present = { cpu: true, hasGeneration: false, hasCuda: false, hasUsername: false };
    expect(read('{"cpu": false}', { partial: true, present })).toEqual({
      min_hardware_generation: ['This field is required unless cpu is true.'],
      cuda_version: ['A GPU image needs a CUDA version: 0.0 is for cpu images.'],
    });
    expect(
      read('{"cpu": false, "min_hardware_generation": "Volta", "cuda_version": "9.0"}', {
        partial: true,
        present,
      }),
    ).toMatchObject({ cpu: false });
  });

  it('may lack what is there already', () => {
    const present = { cpu: true, hasGeneration: false, hasCuda: false, hasUsername: true };
    const withoutHardware = JSON.stringify({ ...VALID, min_hardware_generation: undefined });
    expect(read(withoutHardware, { present })).not.toHaveProperty('min_hardware_generation');
    expect(read('{"registry_password": "p"}', { partial: true, present })).toEqual({
      registry_password: 'p',
    });
    expect(read('{"registry_password": "p", "registry_username": null}', { partial: true, present })).toEqual(
      {
        registry_username: ['This field is required with registry_password.'],
      },
    );
    expect(read('{}', { partial: true, present })).toEqual({});
  });

  it('take tasks in the order of the catalogue, each once', () => {
    expect(read(withMember('tasks', '["Export","Train","Predict","Train"]'))).toMatchObject({
      tasks: ['Predict', 'Train', 'Export'],
    });
  });

  it('never quote a password', () => {
    const errors = read(JSON.stringify({ ...VALID, registry_password: 'planted-pa55'.repeat(9) }));
    expect(JSON.stringify(errors)).not.toContain('planted');
  });
});
