/** The routes below /v1/docker: list, create, retrieve, PUT, PATCH and DELETE, as the original has them. */

import type { Catalogue } from '../../api/catalogue.ts';
import type { DockerImageRecord } from '../../api/docker-image-record.ts';
import { GROUP, PLURALS } from '../../api/group-version.ts';
import { describeHolders } from '../../domain/record-references.ts';
import { isEqual } from '../../json.ts';
import type { Authorizer, ObjectAccess } from '../authorize.ts';
import { type Answer, notFound, refuse, refuseFields } from './answer.ts';
import { requireAccess } from './call.ts';
import { createImage, type ImageStores } from './create-image.ts';
import { findField } from './field-table.ts';
import type { Filter } from './filter-schema.ts';
import { IMAGE_FIELDS, imageRow } from './image-fields.ts';
import { type ImageInput, readImageInput } from './image-input.ts';
import { type ImageView, NO_LOGIN, type RegistryLogin, registryUrlOf, viewImage } from './image-view.ts';
import type { JsonValue } from './json-text.ts';
import { readListRequest } from './list-request.ts';
import { LoginChange } from './login-change.ts';
import { changeSpec, presentOf } from './record-spec.ts';
import { MODEL } from './record-store.ts';
import { type CalledRequest, readJsonBody, unsupported } from './request.ts';
import { type Parameters, PK_PATTERN, pkOfPath, type Route } from './routes.ts';
import { Turns } from './turns.ts';

/** What the routes work with. */
export interface ImageRoutesOptions extends ImageStores {
  /** Must not be one that lets everybody read: it is asked about Secrets. */
  readonly authorizer: Authorizer;
  /** @throws RefusedRequest if there is no usable catalogue */
  readonly catalogue: () => Catalogue;
}

/** One for the process: its writers take turns. */
export class ImageRoutes {
  readonly #options: ImageRoutesOptions;
  readonly #turns = new Turns();

  constructor(options: ImageRoutesOptions) {
    this.#options = options;
  }

  get routes(): readonly Route<CalledRequest>[] {
    return [
      { pattern: /^\/list$/, methods: { POST: (request) => this.#list(request) } },
      { pattern: /^\/create$/, methods: { POST: (request) => this.#create(request) } },
      {
        pattern: PK_PATTERN,
        methods: {
          GET: (request, parameters) => this.#retrieve(request, parameters),
          PUT: (request, parameters) => this.#update(request, parameters, 'update'),
          PATCH: (request, parameters) => this.#update(request, parameters, 'patch'),
          DELETE: (request, parameters) => this.#destroy(request, parameters),
        },
      },
    ];
  }

  async #list(request: CalledRequest): Promise<Answer> {
    const { filter, select } = await readListRequest(request, IMAGE_FIELDS);
    const catalogue = this.#options.catalogue();
    const records = await this.#options.records.list(selectableFields(filter), request.signal);
    const rows = records.flatMap((record) => {
      const view = viewImage(record, catalogue, NO_LOGIN);
      return view === undefined ? [] : [imageRow(record, view, catalogue)];
    });
    return { status: 200, body: await this.#withLogins(select(rows), request) };
  }

  /** One question for all Secrets: a right to single ones shows in the answers about single images. */
  async #withLogins(
    rows: readonly { readonly record: DockerImageRecord; readonly view: ImageView }[],
    { caller, signal }: CalledRequest,
  ): Promise<readonly ImageView[]> {
    const { authorizer, logins } = this.#options;
    if (!(await authorizer.allows(caller, this.#secretAccess(), signal))) return rows.map(({ view }) => view);
    const views: ImageView[] = [];
    for (let start = 0; start < rows.length; start += SECRETS_AT_ONCE) {
      const some = rows.slice(start, start + SECRETS_AT_ONCE);
      const read = await Promise.all(some.map(({ record }) => logins.read(record, signal)));
      views.push(...some.map(({ view }, index) => withLogin(view, read[index] ?? NO_LOGIN)));
    }
    return views;
  }

  async #retrieve(request: CalledRequest, parameters: Parameters): Promise<Answer> {
    return this.#answer(200, await this.#find(request, parameters), request);
  }

  async #create(request: CalledRequest): Promise<Answer> {
    await this.#require(request, 'create');
    const catalogue = this.#options.catalogue();
    const body = await readObjectBody(request);
    const input = readImageInput(body, { catalogue, partial: false });
    if (!input.ok) throw refuseFields(input.error);
    const record = await this.#turns.take(() => createImage(this.#options, input.value, request.signal));
    this.#setSubject(request, record);
    const answer = await this.#answer(201, record, request);
    return { ...answer, headers: { Location: `/v1/docker/${(answer.body as ImageView).pk}` } };
  }

  async #update(request: CalledRequest, parameters: Parameters, verb: 'update' | 'patch'): Promise<Answer> {
    await this.#require(request, verb);
    const record = await this.#find(request, parameters);
    this.#setSubject(request, record);
    const body = await readObjectBody(request);
    const isPartial = verb === 'patch';
    const changed = await this.#turns.take(() => this.#change(record, body, isPartial, request));
    return this.#answer(200, changed, request);
  }

  async #change(
    record: DockerImageRecord,
    body: JsonValue,
    partial: boolean,
    request: CalledRequest,
  ): Promise<DockerImageRecord> {
    const { signal } = request;
    const { records, logins } = this.#options;
    const catalogue = this.#options.catalogue();
    const change = new LoginChange(logins, signal);
    const needsLogin = body instanceof Map && LOGIN_FIELDS.some((name) => body.has(name));
    try {
      const changed = await records.change(
        record,
        async (current) => {
          const login = needsLogin ? await logins.read(current, signal) : NO_LOGIN;
          const present = presentOf(current.spec, login);
          const input = readImageInput(body, { catalogue, partial, present });
          if (!input.ok) throw refuseFields(input.error);
          const spec = changeSpec(current.spec, input.value, catalogue);
          if (carriesPassword(login, input.value, current.spec, spec))
            await this.#requireSecret(current, request);
          const next = needsLogin
            ? await change.plan({ ...current, spec }, current, nextLogin(login, input.value))
            : spec;
          return isEqual(next, current.spec) ? undefined : next;
        },
        signal,
      );
      await change.complete(changed);
      return changed;
    } catch (error) {
      await change.undo();
      throw error;
    }
  }

  async #destroy(request: CalledRequest, parameters: Parameters): Promise<Answer> {
    await this.#require(request, 'delete');
    const { records } = this.#options;
    const record = await this.#find(request, parameters);
    this.#setSubject(request, record);
    const holders = await this.#turns.take(() => records.delete(record, request.signal));
    if (holders.length === 0) return { status: 204 };
    const inUse = `The image is in use by ${describeHolders(holders)}`;
    if (!/(?:^|[,;])\s*handling\s*=\s*"?strict"?\s*(?:$|[,;])/i.test(request.header('prefer') ?? '')) {
      // As the original, which deletes nothing silently; the header is all that tells.
      return { status: 204, headers: { Warning: `299 larder "${inUse} and was not deleted"` } };
    }
    throw refuse(409, `${inUse}; nothing was deleted.`, { 'Preference-Applied': 'handling=strict' });
  }

  async #answer(status: number, record: DockerImageRecord, request: CalledRequest): Promise<Answer> {
    const view = viewImage(record, this.#options.catalogue(), await this.#loginFor(record, request));
    if (view === undefined) throw notFound(MODEL);
    return { status, body: view };
  }

  /** The login, if the caller may get the Secret that holds it. */
  async #loginFor(record: DockerImageRecord, { caller, signal }: CalledRequest): Promise<RegistryLogin> {
    const { authorizer, logins } = this.#options;
    const name = record.spec.access.pullSecretRefs?.[0]?.name;
    if (name === undefined) return NO_LOGIN;
    const isAllowed = await authorizer.allows(caller, { ...this.#secretAccess(), name }, signal);
    return isAllowed ? logins.read(record, signal) : NO_LOGIN;
  }

  /** Whoever could send the password to a registry of their own would know it. */
  async #requireSecret(record: DockerImageRecord, { caller, signal }: CalledRequest): Promise<void> {
    const name = record.spec.access.pullSecretRefs?.[0]?.name ?? '';
    if (await this.#options.authorizer.allows(caller, { ...this.#secretAccess(), name }, signal)) return;
    const detail =
      'State registry_password again: only who may get the Secret of the image may keep it for another registry or user.';
    throw refuse(403, detail);
  }

  #secretAccess(): ObjectAccess {
    return { verb: 'get', group: '', resource: 'secrets', namespace: this.#options.records.namespace };
  }

  async #find(request: CalledRequest, parameters: Parameters): Promise<DockerImageRecord> {
    const record = await this.#options.records.find(pkOfPath(parameters, MODEL), request.signal);
    if (record === undefined) throw notFound(MODEL);
    return record;
  }

  async #require(request: CalledRequest, verb: ObjectAccess['verb']): Promise<void> {
    const { authorizer, records } = this.#options;
    const resource = PLURALS.DockerImageRecord;
    await requireAccess(request, { verb, group: GROUP, resource, namespace: records.namespace }, authorizer);
  }

  #setSubject(request: CalledRequest, { metadata }: DockerImageRecord): void {
    request.setSubject(`DockerImageRecord ${metadata.namespace}/${metadata.name}`);
  }
}

/** A list must not take all the requests that the API server lets us send. */
const SECRETS_AT_ONCE = 8;

const LOGIN_FIELDS = ['registry_username', 'registry_password', 'registry_url'] as const;

/** What is stated replaces, null clears, what is left out stays. */
function nextLogin(login: RegistryLogin, input: ImageInput): RegistryLogin {
  const { registry_username: username, registry_password: password } = input;
  return {
    username: username === undefined ? login.username : username,
    password: password === undefined ? login.password : password,
  };
}

/** Whether a password that the request does not state would be written for another registry or user. */
function carriesPassword(
  { username, password }: RegistryLogin,
  { registry_username: wanted = username, registry_password: stated }: ImageInput,
  before: DockerImageRecord['spec'],
  after: DockerImageRecord['spec'],
): boolean {
  if (password === null || stated !== undefined) return false;
  return wanted !== username || registryUrlOf(after) !== registryUrlOf(before);
}

function withLogin(view: ImageView, login: RegistryLogin): ImageView {
  return { ...view, registry_username: login.username, registry_password: login.password };
}

/** A body for which fields are looked at; none at all is an empty object, as in the original. */
async function readObjectBody(request: CalledRequest): Promise<JsonValue> {
  const body = await readJsonBody(request);
  if (!body.ok) throw unsupported(body.error);
  return body.value === undefined || body.value === null ? new Map() : body.value;
}

/** Fields that the API server itself selects by, for what the filter asks of them exactly. */
const SELECTABLE: ReadonlyMap<string, string> = new Map([
  ['name', 'spec.name'],
  ['version', 'spec.version'],
  ['domain.name', 'spec.domain'],
  ['framework.name', 'spec.framework.name'],
  ['framework.version', 'spec.framework.version'],
  ['licence.name', 'spec.licence'],
]);

/** A head start, not the answer: the whole filter is evaluated on what comes back. */
function selectableFields({ expressions }: Filter): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  for (const expression of expressions) {
    if (expression.type !== 'exact' || expression.invert || expression.case_insensitive) continue;
    const path = SELECTABLE.get(expression.field.replaceAll('__', '.'));
    const { value } = expression;
    if (path !== undefined && typeof value === 'string' && findField(IMAGE_FIELDS, expression.field))
      fields[path] = value;
  }
  return fields;
}
