// Everything works without this file. It adds: focus after a swap, the state of the connection, fewer double taps,
// one toast when the network fails, and the chosen day in view. No eval, no inline handler.
(() => {
  'use strict';
  const doc = document, body = doc.body, $ = (s, r = doc) => r.querySelector(s);
  const say = (kind, detail) => body.dispatchEvent(new CustomEvent('live:' + kind, { bubbles: true, detail }));

  // --- the chosen day or page comes into view inside its own strip; the page itself does not move
  const strips = root => root.querySelectorAll('.dates, [data-scroll]').forEach(strip => {
    const it = $(':checked, [aria-current]', strip);
    if (!it) return;
    const a = it.getBoundingClientRect(), b = strip.getBoundingClientRect();
    strip.scrollLeft += a.left - b.left - (b.width - a.width) / 2;
  });

  // --- one toast at a time
  const toast = () => {
    const from = $('#toast-error'), box = $('#toasts');
    if (from && box) box.replaceChildren(from.content.cloneNode(true));
  };
  doc.addEventListener('change', e => {
    if (!e.target.matches('.toast .shut')) return;
    e.target.closest('.toast').remove();
    $('#main')?.focus({ preventScroll: true });
  });

  // --- a form on its way: its button says so after 400 ms, a second tap does nothing; nothing is ever disabled
  const busy = new Map();
  const start = (form, button) => {
    const job = { button };
    job.timer = setTimeout(() => {
      if (!button) return;
      job.old = [...button.childNodes];
      button.setAttribute('aria-busy', 'true');
      button.replaceChildren(button.dataset.busy || body.dataset.busy);
    }, 400);
    busy.set(form, job);
  };
  const stop = form => {
    const job = busy.get(form);
    if (!job) return;
    clearTimeout(job.timer);
    if (job.old) { job.button.removeAttribute('aria-busy'); job.button.replaceChildren(...job.old); }
    busy.delete(form);
  };
  doc.addEventListener('submit', e => {
    if (busy.has(e.target)) { e.preventDefault(); e.stopImmediatePropagation(); return; }
    if (e.target.target !== '_blank') start(e.target, e.submitter);
  }, true);
  // Back to a page from the browser's memory, a download, or a prevented submit: the form can be sent again.
  addEventListener('pageshow', () => [...busy.keys()].forEach(stop));
  setInterval(() => { for (const [form, job] of busy) if ((job.age = (job.age || 0) + 1) > 12) stop(form); }, 1000);

  // --- htmx
  doc.addEventListener('htmx:beforeRequest', e => e.detail.target?.setAttribute('aria-busy', 'true'));
  doc.addEventListener('htmx:afterRequest', e => {
    e.detail.target?.removeAttribute('aria-busy');
    stop(e.detail.elt.closest('form'));
  });
  doc.addEventListener('htmx:afterSettle', e => {
    const at = e.detail.elt;
    const to = at.matches?.('.err-sum, [data-focus]') ? at : $('.err-sum, [data-focus]', at);
    if (to) { to.tabIndex = -1; to.focus(); }
    strips(at);
  });
  ['htmx:responseError', 'htmx:sendError', 'htmx:timeout'].forEach(name => doc.addEventListener(name, toast));

  // What a page fetches on its own says so: it does not keep a shared device signed in (hub/core/sessions.py).
  doc.addEventListener('htmx:configRequest', e => {
    const by = e.detail.triggeringEvent;
    if (!by || by.type.startsWith('live:')) e.detail.headers['X-Live'] = '1';
  });

  // --- live (docs/live.md): body[data-live="group group"]. A message {kind} becomes the event live:<kind> on body; after
  // every (re)connect, and every 30 s without a connection, comes live:refresh. Pages fetch their own fragment on these.
  // body[data-net] says how it stands: on, lost (5 s), poll (30 s), off (no network), out (signed out).
  const net = $('#net'), groups = new Set((body.dataset.live || '').split(' ').filter(Boolean));
  const state = name => {
    if (name === 'on' && !navigator.onLine) return; // a socket that opens late does not bring the net back
    const before = body.dataset.net;
    body.dataset.net = name;
    if (!net || name === before || (name === 'on' && !net.dataset.state)) return;
    net.dataset.state = name;
    $('span', net).textContent = net.dataset[name] || '';
    $('a', net).hidden = name !== 'out';
  };
  addEventListener('offline', () => state('off'));
  if (!groups.size) addEventListener('online', () => state('on'));
  if (!navigator.onLine) state('off');
  if (groups.size && 'WebSocket' in window) {
    let tries = 0, outs = 0, socket, lostAt = 0, heardAt, seen, stale, timer;
    const soon = (after, jitter = after) => {
      clearTimeout(timer);
      timer = setTimeout(open, after + Math.random() * jitter);
    };
    // The first of a burst is told at once; the rest of 400 ms together, once. A hidden page hears it when it is shown.
    const waiting = {};
    const tell = (kind, m) => {
      if (doc.hidden) { stale = true; return; }
      if (kind in waiting) { waiting[kind] = m; return; }
      waiting[kind] = 0;
      say(kind, m);
      setTimeout(() => {
        const last = waiting[kind];
        delete waiting[kind];
        if (last) tell(kind, last);
      }, 400);
    };
    const well = () => {
      tries = lostAt = 0;
      state('on');
      if (seen) tell('refresh', {});
      seen = true;
    };
    const gone = e => {
      if (e.target !== socket) return; // given up before
      socket = 0;
      lostAt ||= Date.now();
      if (e.code === 4401) { // signed out; or a new session whose cookie is on its way: ask once more, then say so
        if (outs++) state('out');
        return outs > 1 ? soon(30000) : soon(600, 0);
      }
      soon(e.code === 4429 ? 30000 : Math.min(15000, 500 * 2 ** tries++));
    };
    const open = () => {
      clearTimeout(timer);
      if (doc.hidden) return; // comes back when it is shown
      const old = socket;
      const mine = socket = new WebSocket(location.protocol.replace('http', 'ws') + '//' + location.host + '/ws/');
      old && old.close();
      heardAt = Date.now();
      mine.onopen = () => groups.forEach(join => mine.send(JSON.stringify({ join })));
      mine.onclose = gone;
      mine.onmessage = e => {
        const m = JSON.parse(e.data), kind = m.kind;
        heardAt = Date.now();
        outs = 0;
        if (kind === 'hello' || kind === 'refresh') well();
        else if (kind === 'lost') lostAt ||= heardAt; // the server itself hears nothing
        else if (kind === 'left') location.assign(location.pathname + location.search); // no longer for us: what now?
        else if (kind !== 'beat') tell(kind, m); // also joined: who must miss nothing between loading and joining
      };
    };
    open();
    setInterval(() => {
      if (doc.hidden || outs > 1) return;
      const now = Date.now();
      if (socket && now - heardAt > 75000) { lostAt ||= heardAt; open(); } // no sign of life: the line is dead
      const gap = lostAt && now - lostAt;
      if (gap > 5000) state(navigator.onLine ? gap > 30000 ? 'poll' : 'lost' : 'off');
    }, 1000);
    setInterval(() => { if (lostAt && outs < 2 && navigator.onLine) tell('refresh', {}); }, 30000);
    // A short gap may leave the socket standing: then nothing else would take the line away.
    addEventListener('online', () => { if (lostAt) { tries = 0; open(); } else state('on'); });
    doc.addEventListener('visibilitychange', () => {
      if (doc.hidden) return;
      if (!socket) { tries = 0; open(); } else if (stale) tell('refresh', {});
      stale = false;
    });
  }

  const first = $('.err-sum');
  if (first) first.focus();
  strips(doc);
})();
