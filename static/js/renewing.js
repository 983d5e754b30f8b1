// Bring a part of the page to what the server now says, touching only what the server says otherwise than before. What stays keeps its
// focus, its scrolling, its open details and whatever other scripts made of it.
const inner = (node) => [...node.childNodes];

// What is the same thing before and after: an id, or the row it is about.
const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.id || node.dataset.row || "" : "");

// What other scripts have rebuilt is replaced as a whole; they are told by the event `renewed`.
const isWhole = (node) => node.matches("table[data-sort]");

// A form's token differs each time and says nothing.
function withoutTokens(node) {
  const copy = node.cloneNode(true);
  for (const token of copy.querySelectorAll("[name=csrfmiddlewaretoken]")) token.setAttribute("value", "");
  return copy;
}

function renewAttributes(live, was, now) {
  for (const { name } of [...was.attributes]) if (!now.hasAttribute(name)) live.removeAttribute(name);
  for (const { name, value } of [...now.attributes]) if (was.getAttribute(name) !== value) live.setAttribute(name, value);
}

// Return the node that stands there afterwards: the live one where it could be kept.
function renewNode(live, was, now) {
  if (was.isEqualNode(now)) return live;
  const isElement = now.nodeType === Node.ELEMENT_NODE;
  if (!isElement) live.nodeValue = now.nodeValue;
  else if (isWhole(now) || (!live.dataset.figure && live.childNodes.length !== was.childNodes.length)) {
    const fresh = document.importNode(now, true);
    live.replaceWith(fresh);
    return fresh;
  } else {
    renewAttributes(live, was, now);
    if (!live.dataset.figure) renewChildren(live, was, now); // a drawing's inside is the script's that draws
  }
  return live;
}

function renewChildren(live, was, now) {
  const before = inner(was).map((child, place) => ({ was: child, live: live.childNodes[place], key: keyOf(child) }));
  const keyed = new Map(before.filter(({ key }) => key).map((pair) => [pair.key, pair]));
  const others = before.filter(({ key }) => !key);
  const left = new Set(before);
  const wanted = inner(now).map((child) => {
    const key = keyOf(child);
    const place = key ? -1 : others.findIndex((pair) => pair.was.nodeName === child.nodeName);
    const pair = key ? keyed.get(key) : place >= 0 ? others.splice(0, place + 1).at(-1) : undefined;
    if (!pair || !left.has(pair) || pair.was.nodeName !== child.nodeName) return document.importNode(child, true);
    left.delete(pair);
    return renewNode(pair.live, pair.was, child);
  });
  for (const pair of left) pair.live.remove();
  // Nothing is moved that stands where it should: moving takes the focus away.
  let next = live.firstChild;
  for (const node of wanted) {
    if (node === next) next = next.nextSibling;
    else live.insertBefore(node, next);
  }
}

// Renew a region from what the server said of it before and says now; tell the other scripts.
function renewRegion(live, was, now) {
  renewNode(live, was, now);
  live.dispatchEvent(new Event("renewed", { bubbles: true }));
}
