// The field of a unit keeps itself (htmx). This says beside it when keeping failed, tries again, and holds the page while
// something typed is not kept. Nothing goes into the browser's own storage: machines are shared.
(() => {
  'use strict';
  const field = document.querySelector('[data-keep]');
  if (!field) return;
  const box = document.getElementById('saved'), tried = document.getElementById('tried');
  let kept = field.value, asked = kept, leaving = false;
  const dirty = () => field.value !== kept;
  const say = (words, link) => {
    const p = box.querySelector('p') || box.firstElementChild.appendChild(document.createElement('p'));
    p.className = 'note warn';
    p.textContent = words;
    if (link) {
      const a = document.createElement('a');
      Object.assign(a, { href: box.dataset.login, target: '_blank', rel: 'noopener', className: 'tapline' });
      a.textContent = box.dataset.enter;
      p.append(' ', a);
    }
  };
  const again = () => { if (dirty()) window.htmx.trigger(field, 'keep'); };

  // What is under way may arrive although its answer does not: the next keeping or sending says what that was.
  field.addEventListener('htmx:beforeSend', () => { asked = field.value; setTimeout(() => { tried.value = asked; }); });
  field.addEventListener('htmx:beforeOnLoad', e => { // signed out meanwhile: the page stays, with what was typed
    if (!e.detail.xhr.getResponseHeader('HX-Redirect')) return;
    e.preventDefault();
    say(box.dataset.out, true);
  });
  field.addEventListener('htmx:afterRequest', e => {
    const xhr = e.detail.xhr;
    if (xhr && xhr.status === 200) { kept = asked; tried.value = ''; }
  });
  ['htmx:sendError', 'htmx:timeout', 'htmx:responseError'].forEach(name => field.addEventListener(name, e => {
    e.stopPropagation(); // said beside the field, not in a toast
    say(box.dataset.off);
  }));

  addEventListener('online', again);
  setInterval(() => { if (box.querySelector('.note')) again(); }, 15000);
  document.addEventListener('visibilitychange', () => { if (document.hidden) again(); });
  field.form.addEventListener('submit', () => { leaving = true; setTimeout(() => { leaving = false; }, 12000); });
  addEventListener('beforeunload', e => { if (dirty() && !leaving) e.preventDefault(); });
})();
