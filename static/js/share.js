// Copy and share buttons for a text that is shown once. Without this file the text can be selected by hand.
(() => {
  'use strict';
  document.querySelectorAll('[data-copy]').forEach(button => {
    if (!navigator.clipboard) return;
    button.hidden = false;
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).value);
      button.lastChild.textContent = button.dataset.done;
      const status = document.getElementById('copied');
      if (status) status.textContent = button.dataset.done;
    });
  });
  document.querySelectorAll('[data-share]').forEach(button => {
    if (!navigator.share) return;
    button.hidden = false;
    button.addEventListener('click', () => {
      navigator.share({ title: button.dataset.title, url: button.dataset.share }).catch(() => { /* the person changed her mind */ });
    });
  });
})();
