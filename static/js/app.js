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

  // --- live: body[data-live="group group"]. A message {kind} becomes the event live:<kind> on body; after every
  // (re)connect and every 30 s without a socket comes live:refresh. Pages fetch their own fragment on these.
  const net = $('#net'), groups = (body.dataset.live || '').split(' ').filter(Boolean);
  const state = name => {
    if (!net || net.dataset.state === name || (name === 'on' && !net.dataset.state)) return;
    if (name === 'on' && !navigator.onLine) return; // a socket that opens late does not bring the net back
    net.dataset.state = name;
    net.lastElementChild.textContent = net.dataset[name] || '';
  };
  addEventListener('offline', () => state('off'));
  if (!groups.length) addEventListener('online', () => state('on'));
  if (!navigator.onLine) state('off');
  if (groups.length && 'WebSocket' in window) {
    let tries = 0, socket, lostAt = 0, seen = false, timer;
    const open = () => {
      clearTimeout(timer);
      socket = new WebSocket(location.protocol.replace('http', 'ws') + '//' + location.host + '/ws/');
      socket.onopen = () => {
        tries = lostAt = 0;
        state('on');
        groups.forEach(join => socket.send(JSON.stringify({ join })));
        if (seen) say('refresh');
        seen = true;
      };
      socket.onmessage = e => {
        const m = JSON.parse(e.data);
        if (m.kind !== 'joined') say(m.kind, m);
      };
      socket.onclose = e => {
        lostAt = lostAt || Date.now();
        if (e.code === 4403) return; // not for us: polling goes on
        timer = setTimeout(open, Math.min(30000, 1000 * 2 ** tries++) * (.5 + Math.random()));
      };
    };
    open();
    setInterval(() => {
      if (!lostAt || doc.hidden) return;
      const gone = Date.now() - lostAt;
      if (gone > 5000) state(navigator.onLine ? gone > 30000 ? 'poll' : 'lost' : 'off');
    }, 1000);
    setInterval(() => { if (lostAt && !doc.hidden && navigator.onLine) say('refresh'); }, 30000);
    // A short gap may leave the socket standing: then nothing else would take the line away.
    addEventListener('online', () => { if (lostAt) { tries = 0; open(); } else state('on'); });
  }

  const first = $('.err-sum');
  if (first) first.focus();
  strips(doc);
})();
