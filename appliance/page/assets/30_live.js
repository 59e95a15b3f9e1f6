// One stream for the page: what happens in the run wakes it, and the server says what the page now looks like. At most
// one request at a time, and the pause between two grows with what one costs.
const live = (() => {
  const root = find('#live');
  let source = null, wanted = false, busy = false, retry = 500, seen = '';

  const partAddress = () => {
    const address = new URL(location.href);
    address.hash = '';
    address.searchParams.delete('from');
    address.searchParams.delete('q');
    address.searchParams.set('part', 'live');
    if (page.log && page.log.step) {
      address.searchParams.set('step', page.log.isChosen ? page.log.step : '');
      address.searchParams.set('try', page.log.isChosen ? page.log.number : '');
    }
    return address.href;
  };

  function take(fresh) {
    const [now, state, before] = [find('#live', fresh), find('#state', fresh), root.dataset.state];
    if (!now) return;
    if (page.kind === 'run') {
      for (const id of ['top', 'steps', 'parts']) update(find(`#${id}`), find(`#${id}`, fresh));
      if (state && state.dataset.state !== before) {
        root.dataset.state = state.dataset.state;
        say(`The run is ${state.dataset.state}`);
      }
      document.title = fresh.title;
      page.log.heard(find('#lines', fresh));
    } else {
      for (const row of findAll('tr.run', now)) {
        const old = find(`tr[data-key="${CSS.escape(row.dataset.key)}"]`);
        if (!old || old.dataset.state !== row.dataset.state) {
          row.classList.add('changed');
          if (old) say(`${find('.pack', row).textContent} is ${row.dataset.state}`);
        }
      }
      update(root, now);
    }
    for (const act of page.afterUpdate) act();
    tick();
  }

  const isFinal = () => ['succeeded', 'failed', 'cancelled', 'expired'].includes(root.dataset.state);

  // False: the server did not answer.
  async function look() {
    try {
      const fresh = await fetchDocument(partAddress(), seen);
      if (fresh) {
        seen = fresh.tag;
        take(fresh);
      }
      return true;
    } catch (error) {
      if (error.status === 401 || error.status === 403) location.reload();
      return false;
    }
  }

  async function refresh() {
    wanted = true;
    if (busy) return;
    busy = true;
    while (wanted) {
      wanted = false;
      const begun = performance.now();
      await look();
      await wait(Math.min(5000, Math.max(250, 4 * (performance.now() - begun))));
    }
    busy = false;
  }

  // A browser goes on by itself with the last id after a broken line, but not after an answer that is no stream: then
  // the page asks, until there is one.
  function listen() {
    if (source || isFinal() || document.hidden) return;
    const mine = new EventSource(`${root.dataset.events}?from=end`);
    source = mine;
    mine.onopen = () => {
      retry = 500;
      link.set('live', 'live');
      refresh();
      page.log.listen();
    };
    mine.onerror = async () => {
      if (source !== mine) return;
      if (mine.readyState !== EventSource.CLOSED) {
        link.set('gone', 'Server gone, reconnecting…');
        return;
      }
      const answered = await look();
      link.set(answered ? 'live' : 'gone', answered ? 'live' : 'Server gone, reconnecting…');
      await wait(answered ? 1000 : retry);
      retry = Math.min(5000, retry * 2);
      source = null;
      rest();
    };
    mine.onmessage = refresh;
    mine.addEventListener('gap', refresh);
    mine.addEventListener('end', async () => {
      quiet();
      await look();
      rest();
    });
  }
  function quiet() {
    if (source) source.close();
    source = null;
    page.log.quiet();
  }
  // Whatever the run is now: to be listened to, or at rest until somebody resumes it.
  function rest() {
    if (isFinal()) link.set('ended', 'ended');
    else listen();
  }

  // A browser has six connections to a server for all its tabs: one that nobody sees gives its streams back and asks now
  // and then, so that its title stays true.
  async function watchRun() {
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) quiet();
      else rest();
    });
    rest();
    for (;;) {
      await wait(15000);
      if (!document.hidden && !isFinal()) continue;
      const answered = await look();
      if (!answered) link.set('gone', 'Server gone, reconnecting…');
      else rest();
    }
  }

  // The list has no stream: it asks while somebody looks.
  async function watchList() {
    for (;;) {
      await wait(document.hidden ? 15000 : 2000);
      if (document.activeElement && document.activeElement.matches('.filters *')) continue;
      if (await look()) link.set('live', 'live');
      else link.set('gone', 'Server gone, reconnecting…');
    }
  }

  return {
    start() {
      if (!root) return;
      setInterval(tick, 1000);
      tick();
      if (page.kind === 'run') watchRun();
      else watchList();
    },
    refresh,
    isListening: () => source !== null && source.readyState === EventSource.OPEN,
  };
})();
