import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { larder } from '../support/cli-io.ts';

async function script(shell: string): Promise<string> {
  const { code, out } = await larder(['completion', shell]);
  expect(code).toBe(0);
  return out;
}

/** What bash offers after these words. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const line = ['larder', ...words].map((word) => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(${line}); COMP_CWORD=${words.length}; compopt() { :; }; _larder; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', `${await script('bash')}\n${ask}`], {
    encoding: 'utf8',
  });
  expect([stderr, status]).toEqual(['', 0]);
  return stdout.trim().split('\n');
}

describe('larder completion', () => {
  it('offers verbs, verbs of verbs, and their options, in bash', async () => {
    expect(await offered('sta')).toEqual(['status']);
    expect(await offered('tag', '')).toContain('parse');
    expect(await offered('tag', 'parse', '--gr')).toEqual(['--grammar']);
    expect(await offered('status', '--output', 'json', '--mis')).toEqual(['--missing']);
    expect(await offered('')).toEqual(
      expect.arrayContaining(['run', 'plan', 'status', 'completion', '--help']),
    );
  });

  it.each(['zsh', 'fish'])('knows every verb in %s', async (shell) => {
    const text = await script(shell);
    for (const word of ['status', 'plan', 'parse', 'missing']) expect(text).toContain(word);
    expect(text).not.toMatch(/\$\([^(]/);
  });

  it('is not for other shells', async () => {
    expect((await larder(['completion', 'csh'])).code).toBe(2);
  });
});
