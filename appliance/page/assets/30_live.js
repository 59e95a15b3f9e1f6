// One stream for the page: what happens in the run wakes it, and the server says what the page now looks like. At most
// one request at a time, and the pause between two grows with what one costs.
const live = (() => {
  const root = find('#live');
  let source = null, wanted = false, busy = false, retry = 500, ended = false;

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

  async function refresh() {
    wanted = true;
    if (busy) return;
    busy = true;
    while (wanted) {
      wanted = false;
      const begun = performance.now();
      try {
        take(await fetchDocument(partAddress()));
      } catch (error) {
        if (error.status === 401 || error.status === 403) location.reload();
      }
      await wait(Math.min(5000, Math.max(250, 4 * (performance.now() - begun))));
    }
    busy = false;
  }

  // A browser goes on by itself with the last id after a broken line, but not after an answer that is no stream.
  function listen() {
    if (ended || source) return;
    const mine = new EventSource(root.dataset.events);
    source = mine;
    mine.onopen = () => {
      retry = 500;
      link.set('live', 'live');
      refresh();
      page.log.listen();
    };
    mine.onerror = async () => {
      if (source !== mine) return;
      link.set('gone', 'Server gone, reconnecting…');
      if (mine.readyState !== EventSource.CLOSED) return;
      source = null;
      await wait(retry);
      retry = Math.min(5000, retry * 2);
      if (!document.hidden) listen();
    };
    mine.onmessage = refresh;
    for (const kind of ['journal', 'gap']) mine.addEventListener(kind, refresh);
    mine.addEventListener('end', () => {
      ended = true;
      quiet();
      link.set('ended', 'ended');
      refresh();
    });
  }
  function quiet() {
    if (source) source.close();
    source = null;
    page.log.quiet();
  }

  // A browser has six connections to a server for all its tabs: one that nobody sees gives its streams back and asks now
  // and then, so that its title stays true.
  async function watchRun() {
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) quiet();
      else listen();
    });
    listen();
    for (;;) {
      await wait(15000);
      if (document.hidden && !ended) refresh();
    }
  }

  // The list has no stream: it asks while somebody looks.
  async function watchList() {
    for (;;) {
      await wait(document.hidden ? 15000 : 2000);
      if (document.activeElement && document.activeElement.matches('.filters *')) continue;
      try {
        take(await fetchDocument(partAddress()));
        link.set('live', 'live');
      } catch (error) {
        if (error.status === 401) location.reload();
        link.set('gone', 'Server gone, reconnecting…');
      }
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
  };
})();
