import { expect, it } from 'vitest';
import { webhookSecretName } from '../../src/api/webhook-address.ts';
import { imageSource } from '../support/builders.ts';

it('the Secret is the one that the source names, else the one that was made for it', () => {
  expect(webhookSecretName(imageSource({ spec: { webhook: { enabled: true } } }))).toBe('lab-webhook');
  const own = imageSource({ spec: { webhook: { enabled: true, secretRef: { name: 'hook' } } } });
  expect(webhookSecretName(own)).toBe('hook');
});
