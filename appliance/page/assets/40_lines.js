// The log's lines, of which only those are held that lie near what is seen: the server is asked for stretches by number,
// so that a log of any length takes the same memory, and no line can be missing or there twice.
class Lines {
  static kHeight = 20;
  static kMost = 6000000; // pixels: above it a scroll position stands for a share of the log, as no element is higher
  static kHeld = 4000;
  static kStretch = 400;

  constructor(box, onScroll) {
    this.box = box;
    this.onScroll = onScroll;
    this.tall = document.createElement('div');
    this.tall.className = 'tall';
    this.window = document.createElement('div');
    this.window.className = 'window';
    this.tall.append(this.window);
    this.expected = -1;
    box.addEventListener('scroll', () => this.scrolled(), { passive: true });
    box.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
    new ResizeObserver(() => this.draw()).observe(box);
  }

  // Another log; rows that came with the page are taken over.
  open(source, query, total, rows) {
    Object.assign(this, { source, query, total, first: 1, asked: new Set(), held: new Map(), marks: new Map(), epoch: (this.epoch || 0) + 1, floor: 0 });
    this.empty = rows.length === 0 && total === 0 ? [...this.box.childNodes].filter((node) => node.nodeName === 'P') : [];
    for (const row of rows) this.held.set(Number(row.dataset.n), row);
    this.box.replaceChildren(this.tall, ...this.empty);
    this.setTotal(total, true);
    this.goTo(1);
  }

  get visible() { return Math.max(1, Math.floor(this.box.clientHeight / Lines.kHeight)); }
  get range() { return Math.max(0, this.tall.clientHeight - this.box.clientHeight); }
  get isScaled() { return this.total * Lines.kHeight > Lines.kMost; }
  get lastFirst() { return Math.max(1, this.total - this.visible + 1); }
  get isAtEnd() { return this.first >= this.lastFirst - 1; }

  setTotal(total, force = false) {
    if (total === this.total && !force) return;
    // The last line may have been half there.
    if (total > this.total) this.held.delete(this.total);
    this.total = total;
    if (total > 0) for (const node of this.empty) node.remove();
    this.tall.style.height = `${Math.min(Lines.kMost, total * Lines.kHeight)}px`;
    this.draw();
  }

  goTo(first) {
    this.first = Math.min(Math.max(1, first), this.lastFirst);
    const top = this.isScaled ? ((this.first - 1) / Math.max(1, this.lastFirst - 1)) * this.range : (this.first - 1) * Lines.kHeight;
    const rounded = Math.round(Math.min(top, this.range));
    if (Math.abs(this.box.scrollTop - rounded) > 1) {
      this.expected = rounded;
      this.box.scrollTop = rounded;
    }
    this.draw();
  }

  show(number) { this.goTo(number - Math.floor(this.visible / 3)); }
  toEnd() { this.goTo(this.lastFirst); }

  scrolled() {
    const top = this.box.scrollTop;
    if (this.expected >= 0 && Math.abs(top - this.expected) <= 1) {
      this.expected = -1;
      return;
    }
    this.expected = -1;
    this.first = this.isScaled ? 1 + Math.round((top / Math.max(1, this.range)) * (this.lastFirst - 1)) : 1 + Math.floor(top / Lines.kHeight);
    this.draw();
    this.onScroll();
  }

  // In a scaled log one notch of the wheel would be thousands of lines.
  wheel(event) {
    if (!this.isScaled || event.ctrlKey || event.shiftKey || event.deltaY === 0) return;
    event.preventDefault();
    const lines = event.deltaMode === 0 ? event.deltaY / Lines.kHeight : event.deltaY;
    this.goTo(this.first + (Math.round(lines) || Math.sign(lines)));
    this.onScroll();
  }

  draw() {
    if (this.drawing || !this.query) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      this.paint();
    });
  }

  paint() {
    const from = Math.max(1, this.first - 10), to = Math.min(this.total, this.first + this.visible + 10);
    const rows = [];
    for (let number = from; number <= to; number += 1) rows.push(this.row(number));
    const offset = this.isScaled ? this.box.scrollTop - (this.first - from) * Lines.kHeight : (from - 1) * Lines.kHeight;
    this.window.style.transform = `translateY(${Math.max(0, offset)}px)`;
    const same = this.window.childNodes.length === rows.length && rows.every((row, i) => this.window.childNodes[i] === row);
    if (!same) this.window.replaceChildren(...rows);
    this.fetchMissing(from, to);
    this.forget();
  }

  row(number) {
    let row = this.held.get(number);
    if (!row) {
      row = document.createElement('div');
      row.className = 'line yet';
      row.dataset.n = number;
      const shown = document.createElement('span');
      shown.className = 'n';
      shown.textContent = number;
      row.append(shown);
      return row;
    }
    const marked = this.marks.get(number) || '';
    row.classList.toggle('hit', marked.includes('hit'));
    row.classList.toggle('here', marked.includes('here'));
    return row;
  }

  mark(name, numbers) {
    for (const [number, marks] of this.marks) this.marks.set(number, marks.replace(name, ''));
    for (const number of numbers) this.marks.set(number, (this.marks.get(number) || '') + name);
    for (const [number, marks] of this.marks) if (!marks) this.marks.delete(number);
    for (const [number, row] of this.held) if (row.classList.contains(name)) this.row(number);
    this.draw();
  }

  fetchMissing(from, to) {
    let begin = 0;
    for (let number = from; number <= to && !begin; number += 1) if (!this.held.has(number)) begin = number;
    if (!begin) return;
    const middle = Math.max(1, begin - (begin > from ? 0 : Math.floor(Lines.kStretch / 4)));
    const start = this.held.has(middle) ? begin : middle;
    if (this.asked.has(start)) return;
    this.asked.add(start);
    this.fetch(start, this.epoch);
  }

  async fetch(start, epoch) {
    try {
      const fresh = await fetchDocument(`${this.source}?${this.query}&from=${start}&count=${Lines.kStretch}`);
      if (epoch !== this.epoch) return;
      // A row that is there stays, and with it a selection in it or a click that is under way; the last one may have grown.
      for (const row of findAll('.line', fresh)) {
        const number = Number(row.dataset.n);
        if (!this.held.has(number) || number >= this.total) this.held.set(number, document.importNode(row, true));
      }
      this.asked.delete(start);
      const total = Number(fresh.body.dataset.total);
      if (total > this.total) this.setTotal(total);
      this.draw();
    } catch {
      await wait(1000);
      if (epoch !== this.epoch) return;
      this.asked.delete(start);
      this.draw();
    }
  }

  forget() {
    if (this.held.size <= Lines.kHeld) return;
    const middle = this.first + this.visible / 2;
    for (const number of [...this.held.keys()].sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle))) {
      if (this.held.size <= Lines.kHeld / 2) break;
      this.held.delete(number);
    }
  }
}
