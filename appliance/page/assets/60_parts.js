// Tabs, tree or graph, copying, the sheet of keys, colours.
function makeParts() {
  const tabs = findAll('[data-tab]');
  let chosen = '';

  function show(id) {
    chosen = id;
    for (const tab of tabs) {
      const on = tab.dataset.tab === id;
      tab.setAttribute('aria-selected', String(on));
      tab.tabIndex = on ? 0 : -1;
    }
    for (const part of findAll('.part')) part.hidden = part.id !== id;
  }
  if (tabs.length > 0) {
    find('.tabs').setAttribute('role', 'tablist');
    for (const tab of tabs) {
      tab.setAttribute('role', 'tab');
      tab.setAttribute('aria-controls', tab.dataset.tab);
      tab.addEventListener('click', (event) => {
        event.preventDefault();
        show(tab.dataset.tab);
      });
      tab.addEventListener('keydown', (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
        show(next.dataset.tab);
        next.focus();
      });
    }
    const named = tabs.find((tab) => `#${tab.dataset.tab}` === location.hash);
    show(named ? named.dataset.tab : new URL(location.href).searchParams.has('events') ? 'timeline' : 'plan');
    page.afterUpdate.push(() => show(chosen));
    page.showPart = (id) => {
      show(id);
      find(`[data-tab=${id}]`).focus();
    };
    window.addEventListener('hashchange', () => {
      const tab = tabs.find((one) => `#${one.dataset.tab}` === location.hash);
      if (tab) page.showPart(tab.dataset.tab);
    });
  }

  const remembered = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const remember = (name, value) => { try { localStorage.setItem(name, value); } catch { /* then only for now */ } };

  let asGraph = find('#graph') ? !find('#graph').hidden || remembered('stella.steps') === 'graph' : false;
  function showSteps() {
    if (!find('#graph')) return;
    find('#graph').hidden = !asGraph;
    find('#tree').hidden = asGraph;
    find('.work').classList.toggle('wide', asGraph);
    find('#as-graph').textContent = asGraph ? 'Tree' : 'Graph';
  }
  showSteps();
  page.afterUpdate.push(showSteps);
  page.turnSteps = () => {
    asGraph = !asGraph;
    remember('stella.steps', asGraph ? 'graph' : 'tree');
    showSteps();
  };

  page.turnTheme = () => {
    const root = document.documentElement;
    const isDark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = isDark ? 'light' : 'dark';
    remember('stella.theme', root.dataset.theme);
  };
  page.showKeys = () => { if (!find('#sheet').open) find('#sheet').showModal(); };
  find('#theme').addEventListener('click', page.turnTheme);
  find('#keys').addEventListener('click', page.showKeys);

  async function copy(button) {
    let done = true;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      done = false;
    }
    const before = button.textContent;
    button.textContent = done ? 'Copied' : 'Not copied';
    await wait(1500);
    button.textContent = before;
  }

  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-copy]');
    if (button) copy(button);
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    if (event.target.closest('#as-graph')) {
      event.preventDefault();
      page.turnSteps();
      return;
    }
    const link = event.target.closest('a[data-step], a.id[href*="?step="], .tries a');
    if (!link || !page.log) return;
    const address = new URL(link.href.baseVal === undefined ? link.href : link.href.baseVal, location.href);
    const step = address.searchParams.get('step');
    if (!step || address.pathname !== location.pathname) return;
    event.preventDefault();
    page.log.open(step, Number(address.searchParams.get('try') || 0));
  });
}
