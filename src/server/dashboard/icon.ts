/** The icon of the pages: a shelf. */

export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">
<rect width="16" height="16" rx="3" fill="#2c8a4a"/>
<path d="M3 7h10M3 12h10M4 4h2v3H4zM8 3h2v4H8zM5 9h2v3H5zM10 9h2v3h-2z"
  stroke="#fff" fill="none"/>
</svg>
`;
