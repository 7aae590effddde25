// The print button of the list of who is inside. Without this file the browser's own menu prints the same page.
(() => {
  'use strict';
  document.querySelectorAll('[data-print]').forEach(button => {
    button.hidden = false;
    button.addEventListener('click', () => print());
  });
})();
