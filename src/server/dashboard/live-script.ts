/** The script of the pages: replaces the parts that changed. Without it, the pages stand still. */

/** Plain JavaScript for browsers, served as it is; `html` comes escaped from our own views. */
export const LIVE_SCRIPT = `'use strict';
(() => {
  const status = document.getElementById('live-status');
  const sections = () => [...document.querySelectorAll('section[data-live]')];
  if (!window.EventSource || sections().length === 0) return;

  const tell = (text) => {
    if (status.textContent !== text) status.textContent = text;
    status.hidden = false;
  };

  // Where the focus is, so that it survives the replacement: by id, else by what the link leads to.
  const remember = (section) => {
    const active = document.activeElement;
    if (!active || !section.contains(active)) return () => undefined;
    const href = active.getAttribute('href');
    const name = active.getAttribute('name');
    const label = active.getAttribute('aria-label');
    return (next) => {
      const same = [...next.querySelectorAll('a, button, input, select, summary, [tabindex]')].find(
        (candidate) =>
          candidate.tagName === active.tagName &&
          candidate.getAttribute('href') === href &&
          candidate.getAttribute('name') === name &&
          candidate.getAttribute('aria-label') === label,
      );
      if (same) same.focus({ preventScroll: true });
    };
  };

  const boxes = (section) => [...section.querySelectorAll('.scroll')];
  const scrolls = (section) => boxes(section).map((box) => [box.scrollLeft, box.scrollTop]);
  const opened = (section) => [...section.querySelectorAll('details')].map((details) => details.open);

  const replace = (id, html) => {
    const old = document.getElementById(id);
    const parsed = new DOMParser().parseFromString(html, 'text/html');
    const next = parsed.getElementById(id);
    if (!old || !next) return;
    const restoreFocus = remember(old);
    const positions = scrolls(old);
    const open = opened(old);
    old.replaceWith(next);
    next.querySelectorAll('details').forEach((details, index) => { details.open = open[index] === true; });
    boxes(next).forEach((box, index) => {
      const [left, top] = positions[index] || [0, 0];
      box.scrollLeft = left;
      box.scrollTop = top;
    });
    next.classList.add('changed');
    restoreFocus(next);
  };

  const query = new URLSearchParams({
    path: location.pathname + location.search,
    revision: document.getElementById('main').dataset.revision,
  });
  // The browser comes back by itself after a cut, but not after an answer that refuses, such as one of a busy replica.
  const FIRST_PAUSE_MS = 2000;
  const LONGEST_PAUSE_MS = 60000;
  let pauseMs = FIRST_PAUSE_MS;
  let source;
  let timer;
  const connect = () => {
    source = new EventSource('/live?' + query);
    source.addEventListener('open', () => {
      pauseMs = FIRST_PAUSE_MS;
      tell('Live');
    });
    source.addEventListener('error', () => {
      tell('Not connected; what you see may be old');
      if (source.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(connect, pauseMs);
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    });
    source.addEventListener('section', (event) => {
      const { id, html } = JSON.parse(event.data);
      replace(id, html);
    });
    source.addEventListener('gone', (event) => {
      source.close();
      tell(event.data === 'NotFound' ? 'This page no longer exists' : 'You may no longer see this page');
    });
  };
  connect();
  window.addEventListener('pagehide', () => {
    clearTimeout(timer);
    source.close();
  });
  window.addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
})();
`;
