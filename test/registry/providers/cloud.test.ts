import { describe, expect, it } from 'vitest';
import { CLOUDS, openCloudKeychains, readCloudSettings } from '../../../src/registry/providers/cloud.ts';
import { FakeClock } from '../../support/fake-clock.ts';

describe('readCloudSettings', () => {
  it('takes what the webhooks of each cloud set, and nothing that is empty', () => {
    const settings = readCloudSettings({
      AWS_ROLE_ARN: 'arn',
      AWS_WEB_IDENTITY_TOKEN_FILE: '',
      AZURE_CLIENT_ID: 'id',
      HOME: '/root',
    });
    expect(settings).toEqual({ gcp: {}, aws: { roleARN: 'arn' }, azure: { clientID: 'id' } });
  });
});

describe('openCloudKeychains', () => {
  it('has nothing for the registries of others', async () => {
    const keychains = openCloudKeychains(readCloudSettings({}), new FakeClock());
    for (const cloud of CLOUDS) {
      expect(await keychains[cloud].find({ registry: 'registry.example.org', repository: 'a' })).toEqual([]);
    }
  });
});
