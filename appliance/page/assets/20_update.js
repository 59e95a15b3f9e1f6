// Brings a part of the page to what a fresh copy of it says, and leaves alone what is the same: focus, scroll positions
// and what somebody is typing stay.
const update = (() => {
  // What a visitor has opened, typed or chosen is theirs.
  const isKept = (node) => node.matches('form.upload, form.search, #lines')
    || (node.matches('details.confirm') && node.open)
    || (node.matches('form, input, select') && node.contains(document.activeElement));
  const keyOf = (node) => (node.nodeType === 1 ? node.dataset.key || node.id || (node.dataset.gate ? `gate ${node.dataset.gate}` : '') : '');
  const isSame = (old, fresh) => old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName && keyOf(old) === keyOf(fresh);

  function attributes(old, fresh) {
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && name !== 'open') old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
  }

  function children(old, fresh) {
    const keyed = new Map();
    for (const child of old.childNodes) {
      if (keyOf(child)) keyed.set(keyOf(child), child);
    }
    let at = old.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      const key = keyOf(wanted);
      const known = key ? keyed.get(key) : null;
      if (known && known !== at && known.parentNode === old && isSame(known, wanted)) {
        old.insertBefore(known, at);
        at = known;
      }
      if (at && isSame(at, wanted)) {
        node(at, wanted);
        at = at.nextSibling;
      } else {
        old.insertBefore(document.importNode(wanted, true), at);
      }
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  function node(old, fresh) {
    if (old.nodeType !== 1) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    if (isKept(old)) return;
    attributes(old, fresh);
    children(old, fresh);
  }
  return node;
})();
