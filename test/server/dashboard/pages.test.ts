/** The pages, parsed as a browser would: what they show, and that nothing put into them becomes markup. */

import { describe, expect, it } from 'vitest';
import { imagePage, nodePage, sourcePage } from '../../../src/server/dashboard/detail-pages.ts';
import { matrixPage } from '../../../src/server/dashboard/matrix-page.ts';
import { selectMatrix } from '../../../src/server/dashboard/matrix-view.ts';
import { nodesPage } from '../../../src/server/dashboard/nodes-page.ts';
import { overviewPage } from '../../../src/server/dashboard/overview-page.ts';
import { errorPage, framePage, type Page } from '../../../src/server/dashboard/page.ts';
import { attributeOf, type Element, findAll, inside, parseHtml, rowsOf, textOf } from '../../support/html.ts';
import {
  HOSTILE,
  imageDetail,
  imageView,
  MOMENT,
  matrix,
  missingView,
  NOW,
  nodeView,
  overview,
  sourceDetail,
  sourceView,
} from './models.ts';

const FRAME = { version: 'v1', revision: 'r1' };
const QUERY = {
  group: '',
  pool: undefined,
  node: '',
  image: '',
  source: '',
  missing: false,
  all: false,
};

async function open(page: Page): Promise<readonly Element[]> {
  return parseHtml(String(await framePage(page, FRAME)));
}

function section(elements: readonly Element[], id: string): readonly Element[] {
  return inside(findAll(elements, 'section', { id })[0]);
}

/** Every page, with the given text wherever text can be. */
function pagesWith(text: string): readonly (readonly [string, Page])[] {
  const object = { namespace: text, name: text };
  const health = { health: 'Failing', reason: text, message: text } as const;
  const image = imageView({
    tag: text,
    title: text,
    type: text,
    digest: text,
    size: text,
    aliases: [text],
    rules: [text],
    object,
  });
  const missing = missingView({ node: text, image: object, imageTitle: text, reason: text, message: text });
  const node = nodeView(text, { ready: false, remarks: [text], labels: { [text]: text, pool: text } });
  const conditions = [{ type: text, status: text, reason: text, message: text }];
  const source = sourceView({ ...object, ...health, image: text, recommended: text });
  const event = { at: NOW, isWarning: true, reason: text, message: text, kind: text, object };
  const small = {
    images: [{ object, tag: text, repository: text }],
    nodes: [node],
    cells: [['Failed' as const]],
  };
  const query = { ...QUERY, group: 'pool', node: '', image: text.slice(0, 0), source: text };
  return [
    [
      'overview',
      overviewPage(
        overview({
          sources: [source],
          others: [{ ...image, ...health }],
          pulling: [missing],
          events: [event],
        }),
        MOMENT,
      ),
    ],
    [
      'source',
      sourcePage(
        sourceDetail({
          source,
          images: [image],
          named: [{ label: text, tag: text, title: text, prepulled: false }],
          conditions,
        }),
        MOMENT,
      ),
    ],
    [
      'image',
      imagePage(
        imageDetail({
          object,
          reference: text,
          ...health,
          image,
          missing: [missing],
          presentOn: [text],
          conditions,
        }),
        MOMENT,
      ),
    ],
    [
      'node',
      nodePage({ node, present: [{ image: object, title: text, size: text }], missing: [missing] }, MOMENT),
    ],
    ['matrix', matrixPage(selectMatrix(small, query), query, [text])],
    ['nodes', nodesPage([{ node, present: 1, eligible: 2, failed: 1 }])],
    ['error', errorPage(text, text, text)],
  ];
}

describe('every page', () => {
  it.each(pagesWith('plain'))(
    '%s has one heading, one main, a language, a title and no inline code',
    async (_name, page) => {
      const elements = await open(page);
      expect(findAll(elements, 'h1')).toHaveLength(1);
      expect(findAll(elements, 'main')).toHaveLength(1);
      expect(findAll(elements, 'html', { lang: 'en' })).toHaveLength(1);
      expect(textOf(findAll(elements, 'title')[0])).toMatch(/ · Larder$/);
      expect(findAll(elements, 'style')).toEqual([]);
      expect(findAll(elements, 'script').map(textOf)).toEqual(['']);
      const attributes = elements.flatMap(({ attrs }) => attrs.map(({ name }) => name));
      expect(attributes.filter((name) => name === 'style' || name.startsWith('on'))).toEqual([]);
    },
  );

  it.each(pagesWith('plain'))('%s loads nothing from elsewhere and has unique ids', async (_name, page) => {
    const elements = await open(page);
    const targets = elements.flatMap(({ attrs }) =>
      attrs
        .filter(({ name }) => name === 'href' || name === 'src' || name === 'action')
        .map(({ value }) => value),
    );
    expect(targets.filter((target) => !/^[/#]/.test(target) || target.startsWith('//'))).toEqual([]);
    const ids = elements.flatMap((element) => attributeOf(element, 'id') ?? []);
    expect(ids).toEqual([...new Set(ids)]);
  });

  it.each(pagesWith(HOSTILE))('%s shows hostile text as text', async (_name, page) => {
    const elements = await open(page);
    expect(findAll(elements, 'script').map((script) => attributeOf(script, 'src'))).toEqual([
      '/assets/live.js?v1',
    ]);
    expect(findAll(elements, 'img')).toEqual([]);
    const attributes = elements.flatMap(({ attrs }) => attrs.map(({ name }) => name));
    expect(attributes.filter((name) => name.startsWith('on') || /[<"']/.test(name))).toEqual([]);
    expect(textOf(elements[0])).toContain(HOSTILE);
    const hrefs = elements.flatMap((element) => attributeOf(element, 'href') ?? []);
    expect(hrefs.filter((href) => /["<>]/.test(href))).toEqual([]);
  });

  it.each(pagesWith('plain'))(
    '%s has tables whose headers say what they head, and regions with a name',
    async (_name, page) => {
      const elements = await open(page);
      const heads = findAll(elements, 'th');
      expect(heads.filter((head) => attributeOf(head, 'scope') === undefined)).toEqual([]);
      for (const group of findAll(elements, 'div', { role: 'group' })) {
        expect(attributeOf(group, 'aria-label')).toBeTruthy();
        expect(attributeOf(group, 'tabindex')).toBe('0');
      }
    },
  );
});

describe('the front page', () => {
  it('says how each source is, when it was scanned, and what a failing one needs', async () => {
    const failing = sourceView({
      name: 'other',
      health: 'Failing',
      reason: 'Unauthorized',
      message: 'the registry wants credentials',
    });
    const elements = await open(overviewPage(overview({ sources: [sourceView(), failing] }), MOMENT));
    const [, lab, other] = rowsOf(section(elements, 'sources'));
    expect(lab).toEqual([
      'default/labregistry.example.org/sciplat/lab',
      '✓ Ready Succeeded',
      'recommended',
      '5/6 5/6',
      '2m ago',
      'in 3m',
    ]);
    expect(other?.[1]).toBe('✗ Failing Unauthorizedthe registry wants credentials');
    expect(textOf(findAll(elements, 'section', { id: 'figures' })[0])).toContain('Sources2 1 failing');
  });

  it('lists pulls in flight and events, newest first as given', async () => {
    const elements = await open(overviewPage(overview(), MOMENT));
    expect(rowsOf(section(elements, 'pulling'))[1]?.slice(0, 3)).toEqual([
      'sciplat/lab:w_2026_47',
      'node-3',
      'Pulling',
    ]);
    expect(rowsOf(section(elements, 'events'))[1]).toEqual([
      '1m ago',
      'PrepulledImage lab-w-2026-47-aaaaaaaa',
      'Warning PullFailed manifest unknown',
    ]);
  });

  it('says so where there is nothing, or where it cannot be read', async () => {
    const empty = overview({ sources: [], pulling: [], events: undefined });
    const elements = await open(overviewPage(empty, MOMENT));
    const texts = findAll(elements, 'p', { class: 'nothing' }).map(textOf);
    expect(texts).toEqual([
      'There is no ImageSource that you may see.',
      'None.',
      'Nothing.',
      'Events cannot be read now.',
    ]);
  });
});

describe('a source', () => {
  it('lists its images with why they are kept, aliases, digest, size, age and nodes', async () => {
    const elements = await open(sourcePage(sourceDetail(), MOMENT));
    expect(rowsOf(section(elements, 'images'))[1]).toEqual([
      'w_2026_47 Weekly 2026_47also latest_weekly, recommended',
      'weeklies',
      'weekly',
      'aaaaaaaaaaaa',
      '9.8 GiB',
      '3d ago',
      '10/12 10/12',
      'No',
    ]);
    expect(textOf(findAll(elements, 'section', { id: 'named' })[0])).toContain(
      'RecommendedRecommended (Weekly 2026_47) recommended ✓ Yes',
    );
  });

  it('leads to its part of the matrix', async () => {
    const elements = await open(sourcePage(sourceDetail(), MOMENT));
    const links = findAll(elements, 'a').map((link) => attributeOf(link, 'href'));
    expect(links).toContain('/matrix?source=default%2Flab');
    expect(links).toContain('/images/default/lab-w-2026-47-aaaaaaaa');
  });
});

describe('a node', () => {
  it('says what it has, what it misses, why, and when it is tried again', async () => {
    const present = [
      { image: { namespace: 'default', name: 'a' }, title: 'sciplat/lab:w_2026_46', size: '9.7 GiB' },
    ];
    const node = nodeView('node-3', { ready: false, remarks: ['Cordoned'], labels: { pool: 'gpu' } });
    const elements = await open(nodePage({ node, present, missing: [missingView()] }, MOMENT));
    expect(rowsOf(section(elements, 'present'))[1]).toEqual(['sciplat/lab:w_2026_46', '9.7 GiB']);
    expect(rowsOf(section(elements, 'missing'))[1]).toEqual([
      'sciplat/lab:w_2026_47',
      'Failed',
      'ImagePullBackOff manifest unknown',
      '2',
      '1m ago',
      'in 1m',
    ]);
    expect(textOf(findAll(elements, 'section', { id: 'node' })[0])).toContain('✗ Failing NotReady Cordoned');
  });
});

it('an attempt that is overdue is due, not "ago"', async () => {
  const missing = [missingView({ nextAttempt: NOW - 1_000 })];
  const elements = await open(nodePage({ node: nodeView('node-3'), present: [], missing }, MOMENT));
  expect(rowsOf(section(elements, 'missing'))[1]?.at(-1)).toBe('due');
});

describe('the matrix', () => {
  it('shows a row a pool for many nodes, a row a node for few', async () => {
    const large = await open(matrixPage(selectMatrix(matrix(200, 50), QUERY), QUERY, []));
    expect(rowsOf(section(large, 'matrix'))).toHaveLength(1 + 8);
    const small = await open(matrixPage(selectMatrix(matrix(30, 5), QUERY), QUERY, []));
    expect(rowsOf(section(small, 'matrix'))).toHaveLength(1 + 2 + 30);
  });

  it('gives every missing cell a name and a way to the reason', async () => {
    const elements = await open(matrixPage(selectMatrix(matrix(2, 5), QUERY), QUERY, []));
    const link = findAll(section(elements, 'matrix'), 'a', { 'aria-label': true })[0];
    expect(link && [attributeOf(link, 'href'), attributeOf(link, 'aria-label')]).toEqual([
      '/nodes/node-2#missing',
      'Pulling: w_2026_04 on node-2',
    ]);
  });

  it('heads a column with the tag, and with the repository where tags are the same', async () => {
    const { images, ...rest } = matrix(2, 3);
    const [first, second, third] = images;
    if (first === undefined || second === undefined || third === undefined) throw new Error('three images');
    const other = { ...second, tag: first.tag, repository: 'registry.example.org/other/lab' };
    const page = matrixPage(selectMatrix({ ...rest, images: [first, other, third] }, QUERY), QUERY, []);
    expect(rowsOf(section(await open(page), 'matrix'))[0]).toEqual([
      'Node',
      'sciplat/lab:w_2026_00',
      'other/lab:w_2026_00',
      'w_2026_02',
    ]);
  });

  it('keeps the filter in its form and in the links of the groups', async () => {
    const query = { ...QUERY, image: 'w_2026', missing: true };
    const elements = await open(matrixPage(selectMatrix(matrix(200, 50), query), query, ['default/lab']));
    expect(findAll(elements, 'input', { name: 'image' }).map((input) => attributeOf(input, 'value'))).toEqual(
      ['w_2026'],
    );
    expect(findAll(elements, 'input', { name: 'missing', checked: true })).toHaveLength(1);
    const group = findAll(elements, 'tr', { class: 'group' })[0];
    expect(attributeOf(findAll(inside(group), 'a')[0] as Element, 'href')).toBe(
      '/matrix?pool=pool-0&image=w_2026&missing=1',
    );
  });

  it('is small enough to load at 200 × 50 with every node', async () => {
    const query = { ...QUERY, all: true };
    const text = String(await framePage(matrixPage(selectMatrix(matrix(200, 50), query), query, []), FRAME));
    expect(rowsOf(section(parseHtml(text), 'matrix'))).toHaveLength(1 + 8 + 200);
    expect(text.length).toBeLessThan(600_000);
  });
});
