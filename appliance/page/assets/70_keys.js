// The keyboard. A key that somebody types into a field is a letter.
function makeKeys() {
  const items = () => findAll('#tree .item, #graph .box, .runs .item').filter((item) => item.getClientRects().length > 0);

  function move(step) {
    const all = items();
    if (all.length === 0) return;
    const at = all.indexOf(document.activeElement);
    const current = at >= 0 ? at : all.findIndex((item) => item.hasAttribute('aria-current'));
    const next = all[Math.min(all.length - 1, Math.max(0, current < 0 ? 0 : current + step))];
    next.focus();
    next.scrollIntoView({ block: 'nearest' });
  }

  const acts = {
    j: () => move(1),
    k: () => move(-1),
    '/': () => { const field = find('#find') || find('.filters input'); field.focus(); field.select(); },
    n: () => page.log && page.log.hit(1),
    N: () => page.log && page.log.hit(-1),
    f: () => page.log && page.log.follow(!page.log.isFollowing),
    g: () => { const gate = find('.gate'); if (gate) { gate.focus(); gate.scrollIntoView({ block: 'start' }); } },
    e: () => page.showPart && page.showPart('evidence'),
    p: () => page.showPart && page.showPart('plan'),
    o: () => page.showPart && page.showPart('outputs'),
    l: () => page.showPart && page.showPart('timeline'),
    d: () => page.turnSteps && page.turnSteps(),
    t: () => page.turnTheme(),
    '?': () => page.showKeys(),
  };

  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const typing = event.target.matches('input, select, textarea');
    if (typing && event.key === 'Escape') event.target.blur();
    if (typing || find('#sheet').open) return;
    if (event.key === 'Enter' && event.target.matches('.box')) {
      event.target.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
      event.preventDefault();
      return;
    }
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

if (page.kind === 'run') page.log = makeLog();
makeParts();
makeKeys();
live.start();
