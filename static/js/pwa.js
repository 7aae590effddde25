// The installable app: registers /sw.js for members and lets it keep what this page names in body[data-keep].
// On pages of people who are not signed in it takes all copies away, and what is pushed to whoever signed out here
// stops. What is kept, and why: docs/pass.md; js/push.js comes along where notices are pushed or chosen (docs/notices.md).
(() => {
  'use strict';
  const me = document.currentScript, worker = navigator.serviceWorker;
  let pushed = document.getElementById('push');
  try { pushed ||= localStorage.getItem('push'); } catch { /* a browser that keeps nothing */ }
  if (pushed && 'member' in me.dataset) {
    const script = Object.assign(document.createElement('script'), { src: me.dataset.push });
    Object.assign(script.dataset, { who: me.dataset.member, url: me.dataset.url });
    document.head.append(script);
  }
  if (!worker) return;
  if (!('member' in me.dataset)) {
    if (window.caches) caches.delete('hidamari-pages');
    if (pushed) worker.getRegistration().then(one => one?.pushManager?.getSubscription()).then(one => one?.unsubscribe()).catch(() => {});
    return;
  }
  worker.register('/sw.js', { updateViaCache: 'none' }).then(() => worker.ready).then(ready => {
    const paths = (document.body.dataset.keep || '').split(' ').filter(Boolean);
    // A page that came through the worker was kept on its way.
    ready.active.postMessage(paths.filter(path => !worker.controller || path !== location.pathname));
    const line = document.getElementById('ready');
    if (line) line.hidden = false;
  }).catch(() => { /* private window, or an old browser: everything works without */ });
})();
