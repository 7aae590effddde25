// Notices on this device (docs/notices.md). Asks for leave on a tap only; tells the server where to push; does so again
// when a page opens and the browser's address has changed, is gone, or was last told a day ago.
// localStorage.push remembers {who, key, sent, at}: for whom, with which key of the server, which address, when.
(() => {
  'use strict';
  const { who, url } = document.currentScript.dataset, box = document.getElementById('push');
  const worker = navigator.serviceWorker, DAY = 86400000;
  const read = () => { try { return JSON.parse(localStorage.getItem('push')) || {}; } catch { return {}; } };
  const keep = what => { try { localStorage.setItem('push', JSON.stringify(what)); } catch { /* asked again next time */ } };
  const forget = () => { try { localStorage.removeItem('push'); } catch { /* nothing was kept */ } };
  const text = raw => btoa(String.fromCharCode(...new Uint8Array(raw))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '');

  const post = async (body, live) => {
    const headers = { ...JSON.parse(document.body.getAttribute('hx-headers')), ...(live && { 'X-Live': '1' }) };
    const answer = await fetch(url, { method: 'POST', headers, body: new URLSearchParams(body) });
    return { status: answer.status, ...await answer.json() };
  };

  const subscribe = async (key, live) => {
    const { pushManager } = await worker.ready;
    let said, fresh = !live;
    for (let left = 3; left; left--) {
      let sub = await pushManager.getSubscription();
      const old = sub && sub.options.applicationServerKey;
      if (sub && (said || old && text(old) !== key)) { await sub.unsubscribe(); sub = null; }
      fresh ||= !sub;
      sub ||= await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
      const { endpoint, keys } = sub.toJSON();
      const again = !fresh && endpoint === read().sent;
      said = await post({ endpoint, ...keys, key, ...(again && { renew: '1' }) }, live);
      if (said.status === 200) { keep({ who, key, sent: endpoint, at: Date.now() }); return said; }
      if (said.status === 410) { forget(); await sub.unsubscribe(); return said; }
      if (said.status !== 409) return said;
      key = said.key;
    }
    return said;
  };

  const off = async () => {
    const sub = await (await worker.ready).pushManager.getSubscription();
    forget();
    if (!sub) return;
    await post({ endpoint: sub.endpoint, off: '1' });
    await sub.unsubscribe();
  };

  const can = worker && 'PushManager' in window && 'Notification' in window;
  const renew = async () => {
    const was = read();
    if (was.who !== who || Notification.permission !== 'granted') return;
    const sub = await (await worker.ready).pushManager.getSubscription();
    if (!sub || sub.endpoint !== was.sent || Date.now() - was.at > DAY) await subscribe(was.key, true);
  };
  const renewed = can ? renew().catch(() => { /* without a net: at the next page */ }) : Promise.resolve();
  if (!box) return;

  const says = document.getElementById('push-says');
  const show = name => box.querySelectorAll('[data-push]').forEach(one => { one.hidden = one.dataset.push !== name; });
  const look = async () => {
    if (Notification.permission === 'denied') return show('denied');
    await renewed;
    const sub = await (await worker.ready).pushManager.getSubscription();
    show(sub && read().who === who ? 'on' : 'off');
  };
  if (!can) {
    const apple = /iPhone|iPad|iPod/.test(navigator.userAgent) || (navigator.platform === 'MacIntel' && navigator.maxTouchPoints > 1);
    return show(apple ? 'ios' : 'none');
  }
  look();
  box.addEventListener('click', async e => {
    const what = e.target.closest('[data-push-do]')?.dataset.pushDo;
    if (!what) return;
    try {
      if (what === 'off') await off();
      else if (await Notification.requestPermission() !== 'granted') return look();
      else {
        const said = await subscribe(box.dataset.key);
        if (said.status !== 200) throw new Error(said.message);
      }
      location.reload();
    } catch (failure) {
      says.textContent = failure.name === 'Error' && failure.message || says.dataset.failed;
    }
  });
})();
