// Fills a row of marks from what is selected in the text. Without this file the same rows are filled by hand.
(() => {
  'use strict';
  const said = document.querySelector('[data-said]');
  const button = document.querySelector('[data-mark]');
  const told = document.querySelector('[data-mark-told]');
  if (!said || !button || !told) return;

  // As marking.py compares: without spaces, widths and capitals.
  const plain = text => Array.from(text, letter => letter.normalize('NFKC').toLowerCase()).join('').replace(/\s+/gu, '');
  const all = plain(Array.from(said.querySelectorAll('li'), line => line.textContent).join(''));
  let last = null;

  // A tap on the button takes the selection away before the click arrives, so the last one inside the text is kept.
  document.addEventListener('selectionchange', () => {
    const now = getSelection();
    if (!now.rangeCount || now.isCollapsed) return;
    const range = now.getRangeAt(0);
    if (said.contains(range.startContainer) && said.contains(range.endContainer)) last = range.cloneRange();
  });

  const rows = () => Array.from(document.querySelectorAll('[data-row]'));
  const part = (row, name) => row.querySelector(`[name^="${name}_"]`);
  const isEmpty = row => ['line', 'words', 'comment'].every(name => part(row, name).value.trim() === '');

  const occurrence = (words, before) => {
    let nth = 1;
    for (let at = all.indexOf(words); at >= 0 && at < before; at = all.indexOf(words, at + 1)) nth += 1;
    return nth;
  };

  button.hidden = false;
  button.addEventListener('click', () => {
    const row = rows().find(isEmpty);
    if (!row) {
      told.textContent = told.dataset.full;
      return;
    }
    const words = last ? last.toString().replace(/\s+/g, ' ').trim() : '';
    if (!words) {
      told.textContent = told.dataset.none;
      part(row, 'line').focus();
      return;
    }
    const before = document.createRange();
    before.setStart(said, 0);
    before.setEnd(last.startContainer, last.startOffset);
    const nth = occurrence(plain(words), plain(before.toString()).length);
    part(row, 'words').value = words;
    part(row, 'nth').value = nth > 1 ? String(nth) : '';
    told.textContent = told.dataset.done.replace('{n}', row.dataset.row);
    last = null;
    part(row, 'kind').focus();
  });
})();
