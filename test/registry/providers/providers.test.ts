import { describe, expect, it } from 'vitest';
import { isRegistryError } from '../../../src/registry/errors.ts';
import type { Credentials, Keychain } from '../../../src/registry/keychain.ts';
import { awsProvider } from '../../../src/registry/providers/aws.ts';
import { azureProvider } from '../../../src/registry/providers/azure.ts';
import { openCloudFetch } from '../../../src/registry/providers/cloud-fetch.ts';
import { gcpProvider } from '../../../src/registry/providers/gcp.ts';
import {
  type CloudProvider,
  type ProviderContext,
  providerKeychain,
} from '../../../src/registry/providers/provider.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeRegistry } from '../../support/fake-registry.ts';
import { type LoggedRequest, sendJSON } from '../../support/registry-exchange.ts';

type Answers = Readonly<Record<string, (request: LoggedRequest) => unknown>>;

interface Stage {
  readonly server: FakeRegistry;
  readonly clock: FakeClock;
  readonly keychain: Keychain;
}

const ECR = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
const FILES: Readonly<Record<string, string>> = { '/token': 'projected-token\n', '/agent': 'agent-token' };

/** A local fake of a cloud's endpoints: answers by path. */
async function onStage(
  build: (server: FakeRegistry, context: ProviderContext) => CloudProvider,
  answers: Answers,
  play: (stage: Stage) => Promise<void>,
): Promise<void> {
  await using server = await FakeRegistry.start();
  server.intercept = (request, response) => {
    const answer = answers[request.path]?.(request);
    if (typeof answer === 'number') response.writeHead(answer).end('secret-in-answer');
    else if (typeof answer === 'string') response.writeHead(200).end(answer);
    else sendJSON(response, answer === undefined ? 404 : 200, answer ?? {});
    return true;
  };
  const clock = new FakeClock();
  const readFile = (path: string): Promise<string> => Promise.resolve(FILES[path] ?? '');
  const provider = build(server, { fetch: openCloudFetch(), readFile, clock });
  await play({ server, clock, keychain: providerKeychain(provider, clock) });
}

function find(keychain: Keychain, registry: string): Promise<readonly Credentials[]> {
  return keychain.find({ registry, repository: 'a/b' }, new AbortController().signal);
}

function gcp(server: FakeRegistry, context: ProviderContext): CloudProvider {
  return gcpProvider({ metadataHost: server.host }, context);
}

const GCP_PATH = '/computeMetadata/v1/instance/service-accounts/default/token';

describe('GCP', () => {
  it('takes the workload’s token from the metadata server, and again before it ends', () =>
    onStage(
      gcp,
      { [GCP_PATH]: () => ({ access_token: 'ya29.x', expires_in: 3600 }) },
      async ({ server, clock, keychain }) => {
        const expected = [{ kind: 'basic', username: 'oauth2accesstoken', password: 'ya29.x' }];
        expect(
          await Promise.all([
            find(keychain, 'europe-docker.pkg.dev'),
            find(keychain, 'europe-docker.pkg.dev'),
          ]),
        ).toEqual([expected, expected]);
        expect(server.log).toHaveLength(1);
        expect(server.log[0]?.headers['metadata-flavor']).toBe('Google');
        await clock.advance(54 * 60_000);
        await find(keychain, 'europe-docker.pkg.dev');
        expect(server.log).toHaveLength(1);
        await clock.advance(2 * 60_000);
        await find(keychain, 'europe-docker.pkg.dev');
        expect(server.log).toHaveLength(2);
      },
    ));

  it.each([
    ['gcr.io', true],
    ['eu.gcr.io', true],
    ['europe-west1-docker.pkg.dev', true],
    ['docker.pkg.dev', true],
    ['gcr.io.evil.com', false],
    ['evil-gcr.io', false],
    ['a.b.gcr.io', false],
    ['gcr.io:5000', false],
    ['pkg.dev', false],
    ['docker.io', false],
  ])('serves %s: %j', (host, serves) =>
    onStage(gcp, { [GCP_PATH]: () => ({ access_token: 'x' }) }, async ({ keychain }) => {
      expect((await find(keychain, host)).length > 0).toBe(serves);
    }),
  );

  it.each([
    ['an outage', 500, true],
    ['no service account', 404, false],
    ['HTML', '<html>secret-in-answer', false],
    ['no token', {}, false],
  ])('fails with a RegistryError that quotes nothing on %s', (_, answer, temporary) =>
    onStage(gcp, { [GCP_PATH]: () => answer }, async ({ keychain }) => {
      const error: unknown = await find(keychain, 'gcr.io').catch((thrown: unknown) => thrown);
      if (!isRegistryError(error)) throw new Error('expected a RegistryError');
      expect(error).toMatchObject({ registry: 'gcr.io', temporary });
      expect(error.message).not.toContain('secret');
    }),
  );
});

describe('AWS', () => {
  const AUTHORIZATION = {
    authorizationData: [
      {
        authorizationToken: Buffer.from('AWS:ecr:password').toString('base64'),
        expiresAt: Date.UTC(2026, 0, 1, 12) / 1000,
      },
    ],
  };
  const ROLE = { AccessKeyId: 'AKIA', SecretAccessKey: 'shh', SessionToken: 'session' };
  const answers: Answers = {
    '/sts': () => ({
      AssumeRoleWithWebIdentityResponse: { AssumeRoleWithWebIdentityResult: { Credentials: ROLE } },
    }),
    '/pod': () => ({ AccessKeyId: 'AKIA', SecretAccessKey: 'shh', Token: 'session' }),
    '/ecr': () => AUTHORIZATION,
  };

  it('assumes the role by web identity, then asks ECR with a signature', () =>
    onStage(
      ({ url }, context) =>
        awsProvider(
          {
            roleARN: 'arn:aws:iam::1:role/r',
            tokenFile: '/token',
            endpoint: (service) => `${url}/${service}`,
          },
          context,
        ),
      answers,
      async ({ server, keychain }) => {
        expect(await find(keychain, ECR)).toEqual([
          { kind: 'basic', username: 'AWS', password: 'ecr:password' },
        ]);
        const [sts, ecr] = server.log;
        expect(new URLSearchParams(sts?.body).get('WebIdentityToken')).toBe('projected-token');
        expect(sts?.query.get('Action')).toBe('AssumeRoleWithWebIdentity');
        expect(ecr?.authorization).toMatch(
          /^AWS4-HMAC-SHA256 Credential=AKIA\/\d{8}\/eu-west-1\/ecr\/aws4_request/,
        );
        expect(ecr?.headers['x-amz-security-token']).toBe('session');
        expect(ecr?.headers['x-amz-target']).toContain('GetAuthorizationToken');
        expect(JSON.parse(ecr?.body ?? '')).toEqual({ registryIds: ['123456789012'] });
      },
    ));

  it('or asks the pod identity agent', () =>
    onStage(
      ({ url }, context) =>
        awsProvider(
          {
            credentialsURI: `${url}/pod`,
            credentialsTokenFile: '/agent',
            endpoint: (service) => `${url}/${service}`,
          },
          context,
        ),
      answers,
      async ({ server, clock, keychain }) => {
        expect(await find(keychain, ECR)).toHaveLength(1);
        expect(server.log[0]?.authorization).toBe('agent-token');
        await clock.advance(11 * 3_600_000);
        await find(keychain, ECR);
        expect(server.log).toHaveLength(2);
        await clock.advance(3_600_000);
        await find(keychain, ECR);
        expect(server.log).toHaveLength(4);
      },
    ));

  it('knows its registries and needs an identity', () =>
    onStage(
      (_, context) => awsProvider({}, context),
      answers,
      async ({ keychain }) => {
        for (const host of ['docker.io', 'public.ecr.aws', `${ECR}.evil.com`, `x${ECR}`])
          expect(await find(keychain, host)).toEqual([]);
        await expect(find(keychain, '123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com')).rejects.toThrow(
          'no AWS identity',
        );
        await expect(
          find(keychain, '123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn'),
        ).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
      },
    ));

  it.each([
    ['a token without colon', { authorizationData: [{ authorizationToken: 'eA==' }] }],
    ['no token', { authorizationData: [] }],
    ['nothing', {}],
  ])('refuses %s', (_, answer) =>
    onStage(
      ({ url }, context) =>
        awsProvider({ credentialsURI: `${url}/pod`, endpoint: (service) => `${url}/${service}` }, context),
      { ...answers, '/ecr': () => answer },
      async ({ keychain }) => {
        await expect(find(keychain, ECR)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
      },
    ),
  );
});

describe('Azure', () => {
  const settings = { clientID: 'client', tenantID: 'tenant', tokenFile: '/token' };
  const answers: Answers = {
    '/tenant/oauth2/v2.0/token': () => ({ access_token: 'entra' }),
    '/oauth2/exchange': () => ({ refresh_token: 'acr-refresh' }),
  };

  it('exchanges the federated token for the registry’s refresh token', () =>
    onStage(
      ({ url }, context) =>
        azureProvider({ ...settings, authorityHost: `${url}/`, registryURL: () => url }, context),
      answers,
      async ({ server, keychain }) => {
        const found = await find(keychain, 'team.azurecr.io');
        expect(found).toEqual([
          { kind: 'identityToken', username: '00000000-0000-0000-0000-000000000000', token: 'acr-refresh' },
        ]);
        const [entra, exchange] = server.log.map(({ body }) => Object.fromEntries(new URLSearchParams(body)));
        expect(entra).toMatchObject({
          client_id: 'client',
          client_assertion: 'projected-token',
          grant_type: 'client_credentials',
        });
        expect(exchange).toEqual({
          grant_type: 'access_token',
          service: 'team.azurecr.io',
          tenant: 'tenant',
          access_token: 'entra',
        });
      },
    ));

  it('knows its registries and needs an identity', () =>
    onStage(
      (_, context) => azureProvider({}, context),
      answers,
      async ({ keychain }) => {
        for (const host of ['docker.io', 'azurecr.io', 'team.azurecr.io.evil.com', 'a.b.c.azurecr.io'])
          expect(await find(keychain, host)).toEqual([]);
        await expect(find(keychain, 'team.azurecr.io')).rejects.toThrow('no Azure workload identity');
      },
    ));
});
