// Passkeys: form[data-passkey] makes one (create) or shows one (get), puts the answer into its hidden field and is sent.
// Options stand in the page as JSON, or are fetched from the form's address (data-passkey="sign-in"). Without this file
// the button stays hidden and the page offers the other ways.
(() => {
  'use strict';
  const bytes = text => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), c => c.charCodeAt(0));
  const text = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  // A passkey belongs to a name; for bare numbers (127.0.0.1) and plain http browsers make none.
  const can = window.PublicKeyCredential && isSecureContext && !/^[\d.]+$|^\[/.test(location.hostname);

  const opened = options => {
    const key = { ...options.publicKey, challenge: bytes(options.publicKey.challenge) };
    const withBytes = one => ({ ...one, id: bytes(one.id) });
    if (key.user) key.user = withBytes(key.user);
    for (const name of ['allowCredentials', 'excludeCredentials']) if (key[name]) key[name] = key[name].map(withBytes);
    return { publicKey: key };
  };
  const closed = credential => {
    const from = credential.response, response = {};
    for (const name of ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle'])
      if (from[name]) response[name] = text(from[name]);
    if (from.attestationObject && from.getTransports) response.transports = from.getTransports();
    return {
      id: credential.id, rawId: text(credential.rawId), type: credential.type, response,
      clientExtensionResults: credential.getClientExtensionResults(),
    };
  };

  document.querySelectorAll('form[data-passkey]').forEach(form => {
    const button = form.querySelector('[data-go]'), field = form.elements.credential;
    const status = form.querySelector('[role=status]');
    const say = words => {
      const line = document.createElement('p');
      line.className = 'note warn';
      line.textContent = words;
      status.replaceChildren(...(words ? [line] : []));
    };
    if (!can) {
      const quiet = form.closest('[data-passkey-part]'); // where there are other ways beside it
      if (quiet) quiet.hidden = true; else say(form.dataset.off);
      return;
    }
    const options = async () => {
      const there = document.getElementById('passkey-options');
      if (form.dataset.passkey !== 'sign-in') {
        const all = JSON.parse(there.textContent);
        return opened(all.creation_options || all.request_options);
      }
      const answer = await fetch(form.action, { headers: { Accept: 'application/json' } });
      if (!answer.ok) throw new Error('no options');
      return opened((await answer.json()).request_options);
    };
    const go = async () => {
      if (button.getAttribute('aria-busy')) return;
      button.setAttribute('aria-busy', 'true');
      say('');
      try {
        const wish = await options();
        const made = form.dataset.passkey === 'create'
          ? await navigator.credentials.create(wish) : await navigator.credentials.get(wish);
        field.value = JSON.stringify(closed(made));
        form.requestSubmit();
      } catch (error) {
        const kind = { NotAllowedError: 'stopped', AbortError: 'stopped', InvalidStateError: 'have' }[error.name];
        say(form.dataset[kind] || form.dataset.failed);
      } finally {
        button.removeAttribute('aria-busy');
      }
    };
    button.hidden = false;
    button.addEventListener('click', go);
    form.addEventListener('keydown', e => {
      if (e.key === 'Enter' && e.target.matches('input')) { e.preventDefault(); go(); }
    });
  });
})();
