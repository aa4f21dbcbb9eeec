// SPDX-License-Identifier: Apache-2.0
//
// Elements, and numbers in words. All text goes in as text: nothing of the data is ever read as HTML.

// An HTML element with attributes, and children that are elements or texts.
function element(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}

// An SVG element, likewise.
function svg(name, attributes, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// A number with three digits or, where it has more before the point, with all of those.
function digits(value) {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function percent(share) {
  return `${(100 * share).toFixed(0)} %`;
}

function kib(bytes) {
  return (bytes / 1024).toFixed(1);
}

function microseconds(ms) {
  return digits(1000 * ms);
}

function sizeWords(size) {
  return `N=${size.n}, ${size.h}×${size.w}`;
}

// A link to a kernel's part, whose name may be broken behind underscores.
function kernelLink(name) {
  const words = name.split(/(?<=_)/).flatMap((word) => [word, element('wbr')]);
  return element('a', { href: `#${name}` }, ...words);
}
