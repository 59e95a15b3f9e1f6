// SPDX-License-Identifier: Apache-2.0
// What the other parts stand on. No part makes markup from text: what is new on the page comes from the server as a
// parsed document, or is a node whose text is set.
const find = (selector, within = document) => within.querySelector(selector);
const findAll = (selector, within = document) => [...within.querySelectorAll(selector)];
const page = { kind: document.body.dataset.kind, afterUpdate: [] };

const wait = (ms) => new Promise((done) => { setTimeout(done, ms); });

// A document of this server. XMLHttpRequest parses it without a string ever being taken for markup here.
// Null when it is the one that `seen` names, an ETag of before.
function fetchDocument(address, seen = '') {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open('GET', address);
    if (seen) request.setRequestHeader('If-None-Match', seen);
    request.responseType = 'document';
    request.timeout = 30000;
    request.onload = () => {
      // Who is no longer let in is led to the login, and a request follows there by itself.
      const status = new URL(request.responseURL).pathname === '/console/login' ? 401 : request.status;
      if (status === 304 && seen) done(null);
      else if (status === 200 && request.response) done(Object.assign(request.response, { tag: request.getResponseHeader('ETag') || '' }));
      else failed(Object.assign(new Error(`status ${status}`), { status }));
    };
    request.onerror = request.ontimeout = () => failed(new Error('no answer'));
    request.send();
  });
}

// Said to people who do not see the page: state changes, nothing else.
function say(text) {
  const said = find('#said');
  if (said.textContent !== text) said.textContent = text;
}

const link = {
  set(state, text) {
    const shown = find('#link');
    if (shown.dataset.state === state && shown.textContent === text) return;
    shown.dataset.state = state;
    shown.textContent = text;
  },
};

function spanText(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (ms < 10000) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds / 60) % 60} m`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor(seconds / 3600) % 24} h`;
}

function tick() {
  const now = Date.now();
  for (const node of findAll('[data-since]')) node.textContent = spanText(Math.floor((now - Date.parse(node.dataset.since)) / 1000) * 1000);
  for (const node of findAll('[data-until]')) node.textContent = Date.parse(node.dataset.until) > now ? spanText(Date.parse(node.dataset.until) - now) : 'none';
}
