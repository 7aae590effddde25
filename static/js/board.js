// The carers' tablet. Everything works without this file; it covers the page, shows whether the board is live, keeps the time,
// steps the temperature, takes the undo away in time, and gives one sound when carers become too few.
(() => {
  'use strict';
  const doc = document, body = doc.body, $ = (s, r = doc) => r.querySelector(s), page = $('#care');
  if (!page) return;

  // --- cover: nothing of the page stays readable, to the eye or to a screen reader
  const cover = $('#cover'), idle = Number(page.dataset.idle) * 1000, title = doc.title;
  let hidden = [], back, timer;
  const rest = () => { clearTimeout(timer); timer = setTimeout(hide, idle); };
  const hide = () => {
    if (!cover.hidden) return;
    back = doc.activeElement;
    hidden = [...body.children].filter(e => e !== cover && !e.hidden && !e.matches('script, template'));
    hidden.forEach(e => { e.hidden = true; e.inert = true; });
    cover.hidden = false;
    doc.title = cover.getAttribute('aria-label');
    $('#uncover').focus();
  };
  const show = () => {
    cover.hidden = true;
    hidden.forEach(e => { e.hidden = false; e.inert = false; });
    doc.title = title;
    (back && back.isConnected && back !== body ? back : $('#main')).focus({ preventScroll: true });
    rest();
  };
  $('#hide')?.addEventListener('click', e => { e.preventDefault(); hide(); });
  $('#uncover').addEventListener('click', show);
  ['pointerdown', 'keydown', 'input'].forEach(name => doc.addEventListener(name, rest, { passive: true }));
  rest();

  // --- the temperature in tenths; the first tap starts from 36.5
  doc.addEventListener('click', e => {
    const button = e.target.closest('[data-step]');
    if (!button) return;
    const field = doc.getElementById(button.dataset.for), now = parseFloat(field.value.replace(',', '.'));
    const next = Number.isFinite(now) ? now + Number(button.dataset.step) : 36.5;
    field.value = Math.min(42.5, Math.max(34, next)).toFixed(1);
  });

  // --- what was just done can be taken back for ten seconds
  // meanwhile the focus stands on the card that comes next
  const undo = $('#undo');
  if (undo) {
    (doc.getElementById(undo.dataset.next) || $('#main')).focus({ preventScroll: true });
    setTimeout(() => {
      const had = undo.contains(doc.activeElement);
      undo.remove();
      if (had) $('#main').focus({ preventScroll: true });
    }, Number(undo.dataset.seconds) * 1000);
  }

  // --- live or not: said in words, with the time of what is on the screen, and a frame
  const live = $('#live'), net = $('#net'), at = $('#at'), say = $('#say');
  const board = () => $('#board');
  const state = () => {
    const cut = ['lost', 'poll', 'off'].includes(net.dataset.state) || !navigator.onLine;
    body.classList.toggle('cut', cut);
    if (!live) return;
    const time = board()?.dataset.at || '';
    const words = cut ? live.dataset.cut.replace('{at}', time) : live.dataset.on;
    if (live.lastElementChild.textContent !== words) live.lastElementChild.textContent = words;
    live.hidden = false;
  };
  if (net) {
    new MutationObserver(state).observe(net, { attributes: true, attributeFilter: ['data-state'] });
    addEventListener('online', state);
    addEventListener('offline', state);
    state();
  }
  // A board that could not be fetched is old, and the header says so: no toast every half minute.
  ['htmx:sendError', 'htmx:timeout', 'htmx:responseError'].forEach(name => page.addEventListener(name, e => {
    if (e.target.id === 'board') e.stopPropagation();
  }));

  // --- too few carers: one sound and one sentence when it begins
  let short = board()?.dataset.short === '1';
  const beep = () => {
    try {
      const audio = new AudioContext(), tone = audio.createOscillator(), loud = audio.createGain();
      tone.frequency.value = 660;
      loud.gain.value = .2;
      tone.connect(loud).connect(audio.destination);
      tone.start();
      tone.stop(audio.currentTime + .5);
      tone.onended = () => audio.close();
    } catch { /* no sound here: the words are on the screen */ }
  };
  doc.addEventListener('htmx:afterSettle', () => {
    const now = board();
    if (!now?.dataset.at) return;
    if (at) at.textContent = now.dataset.at;
    state();
    if ((now.dataset.short === '1') === short) return;
    short = !short;
    if (say) say.textContent = short ? now.dataset.say : '';
    if (short) beep();
  });
})();
