// The door's camera. Without this file the door works by number and by name; with it a QR in view is enough. Answers are
// swapped in beside the hidden scanner, so that the camera stays warm. No eval, no inline style.
(() => {
  'use strict';
  const doc = document, body = doc.body, $ = (s, r = doc) => r.querySelector(s);
  const main = $('#main'), scanner = $('#door-scan');
  const SAME = 5000, BACK = 3000, SLOW = 1000, TICK = 120, WIDE = 640; // ms; pixels of a frame that is looked at

  // --- sound and vibration, only after somebody has touched the page: before that browsers refuse and complain
  let audio;
  const touched = () => { audio = audio || (window.AudioContext && new AudioContext()); };
  ['pointerup', 'keydown'].forEach(name => addEventListener(name, touched, { once: true }));
  const TONES = { ok: [[1320, .12]], in: [[740, .12], [740, .12]], none: [[196, .55]], wrong: [[262, .2], [262, .2]] };
  const BUZZ = { ok: 60, in: [60, 80, 60], none: 400, wrong: [160, 90, 160] };
  const signal = shape => {
    if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(BUZZ[shape] || 0);
    if (!audio || audio.state !== 'running') return;
    let at = audio.currentTime;
    for (const [pitch, long] of TONES[shape] || []) {
      const tone = audio.createOscillator(), loud = audio.createGain();
      tone.frequency.value = pitch;
      loud.gain.setValueAtTime(.25, at);
      loud.gain.exponentialRampToValueAtTime(.001, at + long);
      tone.connect(loud).connect(audio.destination);
      tone.start(at);
      tone.stop(at + long);
      at += long + .07;
    }
  };

  // --- the seconds in which a scan can be taken back, and the camera that comes back by itself
  let timers = [];
  const calm = () => { timers.forEach(clearInterval); timers = []; };
  const lively = answer => {
    calm();
    const left = $('[data-left]', answer), until = Date.now() + 1000 * (left?.dataset.left || 0);
    const count = () => {
      const n = Math.ceil((until - Date.now()) / 1000);
      if (n > 0) left.textContent = left.dataset.words.replace('#', n);
      else left.closest('form').hidden = true;
    };
    if (left) { count(); timers.push(setInterval(count, 500)); }
    if (answer.dataset.returns === '1') {
      const back = setTimeout(() => $('[data-next]', answer).click(), BACK);
      timers.push(back);
      ['pointerdown', 'keydown'].forEach(name => answer.addEventListener(name, () => clearTimeout(back), { once: true }));
    }
  };
  const shown = () => $('#door-answer');
  if (shown()) lively(shown());
  if (!scanner) return; // the page of one answer, opened by its address

  // --- one scan: posted by fetch, its answer swapped in
  const say = $('#door-say'), note = $('#door-note'), words = scanner.dataset, title = doc.title;
  const speak = (text, bad) => { say.textContent = text; say.classList.toggle('bad', !!bad); };
  let busy = false;
  const uuid = () => crypto.randomUUID?.() || '10000000-1000-4000-8000-100000000000'.replace(/[018]/g, c =>
    (c ^ crypto.getRandomValues(new Uint8Array(1))[0] & 15 >> c / 4).toString(16));
  const post = async form => {
    if (busy) return;
    busy = true;
    const slow = setTimeout(() => { note.textContent = words.checking; }, SLOW);
    try {
      const answer = await fetch(form.action, {
        method: 'POST', body: new FormData(form), headers: { 'X-Door': '1' }, signal: AbortSignal.timeout(10000),
      });
      if (answer.status >= 500) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const found = page.querySelector('#door-answer');
      if (found) show(found, page, answer);
      else if (answer.status === 422 && page.querySelector('#code-error')) wrong(page);
      else location.reload(); // signed out, or the right has ended: the server says so
      if (form.elements.id && found) form.elements.id.value = uuid(); // kept until an answer came: the same scan counts once
    } catch {
      if (shown()) next();
      speak(navigator.onLine ? words.failed : words.lost, true);
      last = '';
    } finally {
      clearTimeout(slow);
      form.dispatchEvent(new CustomEvent('htmx:afterRequest', { bubbles: true, detail: { elt: form } })); // app.js: not on its way
      if (camera.srcObject) note.textContent = '';
      busy = false;
    }
  };
  const wrong = page => {
    $('#code-error').replaceWith(page.querySelector('#code-error'));
    const field = $('#id_code');
    field.setAttribute('aria-invalid', 'true');
    field.setAttribute('aria-describedby', 'id_code_error');
    field.focus();
  };
  const show = (found, page, answer) => {
    shown()?.remove();
    scanner.hidden = true;
    main.append(found);
    body.className = page.body.className;
    doc.title = page.title;
    const path = answer.headers.get('Content-Location');
    if (path) history[history.state?.door ? 'replaceState' : 'pushState']({ door: 1 }, '', path);
    $('#code-error').replaceChildren();
    $('#id_code').value = '';
    $('.word', found).focus({ preventScroll: true });
    scrollTo(0, 0);
    signal(found.dataset.shape);
    lively(found);
    remember(found);
  };
  const remember = found => {
    const box = $('#door-last'), seconds = +found.dataset.undoLeft;
    box.replaceChildren();
    if (!seconds || !found.dataset.name) return;
    const link = doc.createElement('a');
    link.href = location.pathname;
    link.textContent = found.dataset.name;
    box.append(link);
    setTimeout(() => link.remove(), seconds * 1000);
  };
  const next = where => {
    calm();
    shown()?.remove();
    scanner.hidden = false;
    body.className = 'door ready';
    doc.title = title;
    if (camera.srcObject) { camera.play().catch(() => {}); speak(words.ready); }
    (where === 'code' ? $('#id_code') : main).focus({ preventScroll: true });
    body.dispatchEvent(new CustomEvent('live:presence', { bubbles: true })); // the counts, also without a socket
  };
  doc.addEventListener('click', e => {
    const link = e.target.closest('[data-next]');
    if (!link || !shown()) return;
    e.preventDefault();
    const where = link.dataset.next;
    next(where);
    if (history.state?.door) history.back();
  });
  addEventListener('popstate', () => {
    if (history.state?.door) location.reload(); // forward to an answer: the server has it
    else if (shown()) next();
  });
  doc.addEventListener('submit', e => {
    if (!e.target.matches('[data-swap]')) return;
    e.preventDefault();
    post(e.target);
  });

  // --- reading: the browser's own detector where it knows QR, else zxing from our own origin
  const camera = $('#camera'), finder = $('#finder'), torch = $('#torch'), flip = $('#flip'), qr = $('#qr-form');
  const canvas = doc.createElement('canvas'), brush = canvas.getContext('2d', { willReadFrequently: true });
  const load = src => new Promise((done, fail) => {
    const script = doc.createElement('script');
    script.src = src;
    script.onload = done;
    script.onerror = fail;
    doc.head.append(script);
  });
  const frame = () => {
    const scale = Math.min(1, WIDE / camera.videoWidth);
    canvas.width = camera.videoWidth * scale;
    canvas.height = camera.videoHeight * scale;
    brush.drawImage(camera, 0, 0, canvas.width, canvas.height);
  };
  const reader = async () => {
    if ('BarcodeDetector' in window && (await BarcodeDetector.getSupportedFormats()).includes('qr_code')) {
      const native = new BarcodeDetector({ formats: ['qr_code'] });
      return async () => (await native.detect(camera))[0]?.rawValue;
    }
    await load(words.reader);
    ZXingWASM.prepareZXingModule({ overrides: { locateFile: () => words.wasm } });
    const options = { formats: ['QRCode'], tryHarder: true, maxNumberOfSymbols: 1 };
    return async () => {
      frame();
      const found = await ZXingWASM.readBarcodes(brush.getImageData(0, 0, canvas.width, canvas.height), options);
      return found.find(one => one.isValid)?.text;
    };
  };
  let last = '', lastAt = 0, read;
  const look = async () => {
    const began = performance.now();
    try {
      if (read && !busy && !shown() && !doc.hidden && camera.readyState > 2 && !camera.paused) {
        const text = await read();
        if (text && !busy && !shown()) {
          if (text !== last || Date.now() - lastAt > SAME) {
            last = text;
            performance.mark('door:read');
            qr.elements.payload.value = text;
            qr.elements.id.value = uuid();
            camera.pause(); // the last frame stays while the server is asked
            await post(qr);
            performance.mark('door:word');
            if (!shown()) camera.play().catch(() => {});
          }
          lastAt = Date.now();
        }
      }
    } catch { /* a frame that could not be read; the next one comes */ }
    setTimeout(look, Math.max(20, TICK - (performance.now() - began)));
  };

  // --- the camera itself
  let facing = 'environment', lock;
  const awake = async () => { try { lock = await navigator.wakeLock?.request('screen'); } catch { lock = null; } };
  const stop = () => camera.srcObject?.getTracks().forEach(track => track.stop());
  const start = async () => {
    note.textContent = words.starting;
    try {
      stop();
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: false, video: { facingMode: { ideal: facing }, width: { ideal: 1280 }, height: { ideal: 720 } },
      });
      camera.srcObject = stream;
      await camera.play();
      finder.classList.add('on');
      note.textContent = '';
      speak(words.ready);
      const [track] = stream.getVideoTracks();
      torch.hidden = !track.getCapabilities?.().torch;
      flip.hidden = (await navigator.mediaDevices.enumerateDevices()).filter(one => one.kind === 'videoinput').length < 2;
      track.onended = () => refuse(words.taken);
      awake();
    } catch (error) {
      refuse(error.name === 'NotReadableError' ? words.taken : words.denied);
    }
  };
  const refuse = text => {
    camera.srcObject = null;
    finder.classList.remove('on');
    torch.hidden = flip.hidden = true;
    note.textContent = text;
    speak('');
  };
  torch.addEventListener('click', async () => {
    const on = torch.getAttribute('aria-pressed') !== 'true';
    try {
      await camera.srcObject.getVideoTracks()[0].applyConstraints({ advanced: [{ torch: on }] });
      torch.setAttribute('aria-pressed', on);
    } catch { torch.hidden = true; }
  });
  flip.addEventListener('click', () => { facing = facing === 'user' ? 'environment' : 'user'; start(); });
  doc.addEventListener('visibilitychange', () => {
    if (doc.hidden || !camera.srcObject) return;
    awake();
    if (!shown()) camera.play().catch(() => {});
  });
  if (!navigator.mediaDevices?.getUserMedia) return refuse(words.denied);
  start();
  reader().then(found => { read = found; }, () => refuse(words.denied));
  look();
})();
