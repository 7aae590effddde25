// The pass stays lit while it is shown at the door. Without this file the phone dims as it always does.
(() => {
  'use strict';
  const button = document.getElementById('wake');
  if (!button || !('wakeLock' in navigator)) return;
  const label = button.querySelector('span'), off = label.textContent;
  let wanted = false, lock;
  const say = text => { label.textContent = text; button.setAttribute('aria-pressed', wanted); };
  const light = async () => {
    try {
      lock = await navigator.wakeLock.request('screen');
      say(button.dataset.on);
    } catch { wanted = false; say(button.dataset.failed); } // battery saver, or the page is not in front
  };
  button.hidden = false;
  button.addEventListener('click', () => {
    wanted = !wanted;
    if (wanted) light(); else { lock?.release(); say(off); }
  });
  // The phone takes the lock away with the page; it is asked for again when she comes back.
  document.addEventListener('visibilitychange', () => { if (wanted && !document.hidden) light(); });
})();
