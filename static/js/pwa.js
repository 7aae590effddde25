// The installable app: registers /sw.js for members and lets it keep what this page names in body[data-keep].
// On pages of people who are not signed in it takes all copies away. What is kept, and why: docs/pass.md.
(() => {
  'use strict';
  const me = document.currentScript, worker = navigator.serviceWorker;
  if (!worker) return;
  if (!('member' in me.dataset)) { if (window.caches) caches.delete('hidamari-pages'); return; }
  worker.register('/sw.js', { updateViaCache: 'none' }).then(() => worker.ready).then(ready => {
    const paths = (document.body.dataset.keep || '').split(' ').filter(Boolean);
    // A page that came through the worker was kept on its way.
    ready.active.postMessage(paths.filter(path => !worker.controller || path !== location.pathname));
    const line = document.getElementById('ready');
    if (line) line.hidden = false;
  }).catch(() => { /* private window, or an old browser: everything works without */ });
})();
