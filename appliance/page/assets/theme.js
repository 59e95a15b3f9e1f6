// SPDX-License-Identifier: Apache-2.0
// Before anything is painted: that there is a script, and the colours that were chosen here before.
'use strict';
document.documentElement.classList.add('scripted');
try {
  const chosen = localStorage.getItem('stella.theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
} catch {
  // A browser that keeps nothing has its preference.
}
