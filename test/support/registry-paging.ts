/** The ways registries write the link to the next page of a tag list. */

export const PAGING_STYLES = [
  'relative',
  'absolute',
  'bare',
  'unquoted',
  'severalRelations',
  'afterOther',
  'queryOnly',
  'none',
] as const;
export type PagingStyle = (typeof PAGING_STYLES)[number];

export interface NextPage {
  readonly base: string;
  readonly name: string;
  readonly size: number;
  readonly last: string;
}

/** The Link header; undefined for registries that know none. */
export function formatLink(style: PagingStyle, { base, name, size, last }: NextPage): string | undefined {
  const query = `?n=${size}&last=${encodeURIComponent(last)}`;
  const path = `/v2/${name}/tags/list${query}`;
  const links: Record<PagingStyle, string | undefined> = {
    relative: `<${path}>; rel="next"`,
    absolute: `<${base}${path}>; rel="next"`,
    bare: `${path}; rel=next`,
    unquoted: `<${path}>; rel=next`,
    severalRelations: `<${path}>; title="a, b"; rel="last next"`,
    afterOther: `</v2/${name}/tags/list?n=${size}>; rel="first", <${path}>; rel="next"`,
    queryOnly: `<${query}>; rel="next"`,
    none: undefined,
  };
  return links[style];
}
