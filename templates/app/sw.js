// Works without a net: the pass and today's page of the member who is signed in, nothing else. See docs/pass.md.
'use strict';
const SHELL = 'hidamari-{{ version }}', PAGES = 'hidamari-pages', FILES = {{ files|safe }};
const kept = path => /^\/(en\/)?(pass\/.*)?$/.test(path);
const late = () => new Promise((_, no) => setTimeout(no, 3000));
let era = 0; // grows when somebody signs out: an answer still on its way is not kept then

self.addEventListener('install', e => e.waitUntil(caches.open(SHELL)
  .then(shell => shell.addAll(FILES.map(url => new Request(url, { credentials: 'omit' }))))
  .then(() => self.skipWaiting())));
self.addEventListener('activate', e => e.waitUntil(caches.keys()
  .then(names => Promise.all(names.filter(name => name !== SHELL && name !== PAGES).map(name => caches.delete(name))))
  .then(() => self.clients.claim())));

// Every page that arrives says whose it is: copies of anybody else, and those of yesterday, go.
async function note(then, path, answer) {
  const who = answer.headers.get('X-Who'), left = answer.headers.get('X-Keep'), pages = await caches.open(PAGES);
  for (const key of await pages.keys()) {
    const { headers } = await pages.match(key);
    if (headers.get('X-Who') !== who || headers.get('X-Until') < Date.now()) await pages.delete(key);
  }
  if (!who || !left || answer.redirected || !kept(path)) return;
  const headers = new Headers(answer.headers), text = await answer.text();
  headers.set('X-Until', Date.now() + left * 1000);
  if (then === era) await pages.put(path, new Response(text.replace('<html', '<html data-kept'), { headers }));
}

async function page(e, path) {
  const get = e.request.method === 'GET', then = era;
  const found = get && kept(path) && await caches.match(e.request, { cacheName: PAGES, ignoreVary: true });
  const copy = found && found.headers.get('X-Until') > Date.now() && found;
  const net = fetch(e.request);
  e.waitUntil(net.then(answer => answer.status === 200 && get && note(then, path, answer.clone())).catch(() => {}));
  try {
    const answer = await (copy ? Promise.race([net, late()]) : net);
    if (copy && answer.status > 499) throw answer;
    return answer;
  } catch {
    return copy || caches.match(path.startsWith('/en/') ? '/en/offline/' : '/offline/');
  }
}

self.addEventListener('fetch', e => {
  const { request } = e, url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.mode === 'navigate') {
    if (/\/(sign-out|logout)\/$/.test(url.pathname) && request.method === 'POST') { era++; e.waitUntil(caches.delete(PAGES)); }
    e.respondWith(page(e, url.pathname + url.search));
  } else if (url.pathname.startsWith('/static/')) {
    e.respondWith(caches.match(request, { cacheName: SHELL, ignoreVary: true }).then(hit => hit || fetch(request)));
  }
});
self.addEventListener('message', e => e.waitUntil(Promise.all(e.data.map(async path =>
  note(era, path, await fetch(path, { cache: 'no-store' })))).catch(() => {})));

// What was pushed is always shown, also when it cannot be read: otherwise the browser takes the leave away.
self.addEventListener('push', e => {
  let said;
  try { said = e.data.json().notification; } catch { /* shown anyway */ }
  const { title, navigate, ...more } = said && said.title ? said : { title: {{ words.product|safe }}, body: {{ words.news|safe }} };
  e.waitUntil(self.registration.showNotification(title, { ...more, icon: {{ words.icon|safe }}, data: { navigate } }));
});
self.addEventListener('notificationclick', e => {
  const { protocol, pathname, search } = new URL(e.notification.data?.navigate || '/me/notices/', location.origin);
  const to = location.origin + (/^http/.test(protocol) ? pathname + search : '/me/notices/'); // never another site
  e.notification.close();
  e.waitUntil(self.clients.matchAll({ type: 'window' }).then(all =>
    all.find(one => one.url === to)?.focus() ?? self.clients.openWindow(to)));
});
