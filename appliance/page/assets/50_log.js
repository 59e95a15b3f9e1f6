// The log panel: which step's log is shown, following its end, search, permalinks.
function makeLog() {
  const box = find('#lines');
  if (!box) return null;
  const [field, hits, followButton] = [find('#find'), find('#hits'), find('#follow')];
  const log = { step: '', number: 1, isLive: false, isFollowing: false, isChosen: false, target: 0, found: [], at: -1 };
  const lines = new Lines(box, () => { if (log.isFollowing && !lines.isAtEnd) log.follow(false); });
  log.lines = lines;

  const queryOf = (step, number) => `step=${encodeURIComponent(step)}&try=${number}`;
  const run = find('#live').dataset.run;
  const base = `/console/packs/runs/${encodeURIComponent(run)}`;

  log.follow = (on) => {
    log.isFollowing = on;
    followButton.setAttribute('aria-pressed', String(on));
    if (on) lines.toEnd();
  };

  // #L12, or #STEP.L12 with the step's id percent-encoded.
  const inHash = () => {
    const match = /^#(?:(.*)\.)?L(\d+)$/.exec(location.hash);
    try {
      return match ? { step: match[1] ? decodeURIComponent(match[1]) : '', line: Number(match[2]) } : null;
    } catch {
      return null;
    }
  };

  log.aim = (number) => {
    log.target = number;
    lines.mark('here', [number]);
    log.follow(false);
    lines.show(number);
  };

  function showStep() {
    for (const item of findAll('[data-step]')) {
      if (item === box) continue;
      if (item.dataset.step === log.step && log.step) item.setAttribute('aria-current', 'true');
      else item.removeAttribute('aria-current');
    }
  }

  function begin(source, rows) {
    Object.assign(log, { step: source.dataset.step, number: Number(source.dataset.try), isLive: source.hasAttribute('data-live') });
    lines.open(source.dataset.source, queryOf(log.step, log.number), Number(source.dataset.total), rows);
    const title = find('#log-title');
    title.textContent = log.step || 'Log';
    title.classList.toggle('id', Boolean(log.step));
    find('#raw').href = `${base}/log/raw?${queryOf(log.step, log.number)}`;
    find('form.search input[name=step]').value = log.step;
    find('form.search input[name=try]').value = log.number;
    Object.assign(log, { found: [], at: -1 });
    hits.textContent = '';
    showStep();
    if (stream || live.isListening()) log.listen();
  }

  // Another step's log in place, with its own address.
  log.open = async (step, number = 0, line = 0) => {
    const address = `${base}?step=${encodeURIComponent(step)}${number ? `&try=${number}` : ''}`;
    try {
      const fresh = await fetchDocument(`${address}&part=log`);
      const source = find('#lines', fresh);
      log.isChosen = true;
      history.replaceState(null, '', `${address}${line ? `#L${line}` : ''}`);
      update(find('.log-head .tries') || document.createElement('span'), find('.log-head .tries', fresh) || document.createElement('span'));
      begin(source, findAll('.line', source).map((row) => document.importNode(row, true)));
      if (field.value) search();
      if (line) log.aim(line);
      else log.follow(log.isLive);
    } catch {
      location.href = address;
    }
  };

  // The server's word on the log of the moment, from a fresh copy of the page.
  log.heard = (fresh) => {
    if (!fresh) return;
    if (!log.isChosen && fresh.dataset.step && (fresh.dataset.step !== log.step || fresh.dataset.try !== String(log.number))) {
      begin(fresh, []);
      log.follow(log.isFollowing || fresh.hasAttribute('data-live'));
    }
    if (fresh.dataset.step === log.step && fresh.dataset.try === String(log.number)) {
      log.isLive = fresh.hasAttribute('data-live');
      log.grow(Number(fresh.dataset.total));
    }
    showStep();
  };
  log.grow = (total) => {
    if (total <= lines.total) return;
    lines.setTotal(total);
    if (log.isFollowing) lines.toEnd();
  };

  async function search() {
    const query = field.value;
    if (!query) {
      Object.assign(log, { found: [], at: -1 });
      lines.mark('hit', []);
      hits.textContent = '';
      return;
    }
    hits.textContent = 'searching…';
    try {
      const fresh = await fetchDocument(`${base}/log/search?${queryOf(log.step, log.number)}&q=${encodeURIComponent(query)}`);
      if (field.value !== query) return;
      const { numbers, said } = fresh.body.dataset;
      log.found = numbers ? numbers.split(' ').map(Number) : [];
      log.at = -1;
      log.said = said;
      hits.textContent = said;
      lines.mark('hit', log.found);
      if (log.found.length > 0) log.hit(1);
    } catch {
      hits.textContent = 'no answer';
    }
  }
  log.search = search;
  log.hit = (step) => {
    if (log.found.length === 0) return;
    log.at = (log.at + step + log.found.length) % log.found.length;
    hits.textContent = `${log.at + 1} of ${log.said}`;
    log.aim(log.found[log.at]);
  };

  // New lines are told by the step's log stream; what they are is asked for by number, so that each is shown once.
  let stream = null;
  log.quiet = () => {
    if (stream) stream.close();
    stream = null;
  };
  log.listen = () => {
    log.quiet();
    if (!log.step || !log.isLive) return;
    const mine = new EventSource(`${find('#live').dataset.logs}?from=end&step=${encodeURIComponent(log.step)}`);
    stream = mine;
    mine.onmessage = (event) => {
      const told = JSON.parse(event.data);
      if (told.try !== log.number || !told.text) return;
      const ends = told.text.split('\n').length - 1;
      log.grow(told.line + ends - (told.text.endsWith('\n') ? 1 : 0));
    };
    // What came between the page and the stream, or was left out of it.
    mine.onopen = live.refresh;
    mine.addEventListener('gap', live.refresh);
    mine.addEventListener('end', log.quiet);
  };

  field.form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (log.found.length > 0 && field.value === log.query) log.hit(1);
    else {
      log.query = field.value;
      search();
    }
  });
  find('#hit-on').addEventListener('click', () => log.hit(1));
  find('#hit-back').addEventListener('click', () => log.hit(-1));
  followButton.addEventListener('click', () => log.follow(!log.isFollowing));
  box.addEventListener('click', (event) => {
    const number = event.target.closest('a.n');
    if (!number) return;
    event.preventDefault();
    const line = Number(number.parentNode.dataset.n);
    log.isChosen = true;
    history.replaceState(null, '', `${base}?${queryOf(log.step, log.number)}#L${line}`);
    log.aim(line);
  });
  window.addEventListener('hashchange', () => {
    const wanted = inHash();
    if (!wanted) return;
    if (wanted.step && wanted.step !== log.step) log.open(wanted.step, 0, wanted.line);
    else log.aim(wanted.line);
  });

  const wanted = inHash();
  log.isChosen = new URL(location.href).searchParams.has('step');
  begin(box, findAll('.line', box));
  if (wanted && wanted.step && wanted.step !== log.step) log.open(wanted.step, 0, wanted.line);
  else if (wanted) log.aim(wanted.line);
  else if (box.dataset.from > 1 && log.isChosen && new URL(location.href).searchParams.has('from')) lines.show(Number(box.dataset.from));
  else log.follow(log.isLive);
  if (field.value) search();
  return log;
}
