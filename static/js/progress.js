// Keep a page that waits for work up to date: ask for it again, less and less often, not while it is hidden, and stop when it no longer waits.
// `data-live` holds the seconds until the first look. Without this script a link on the page looks again.
const LONGEST = 20;
const region = () => document.querySelector("[data-live]");

function wait(seconds) {
  setTimeout(async () => {
    if (document.hidden) return wait(seconds);
    let next = null;
    try {
      const answer = await fetch(location.href, { headers: { "X-Requested-With": "progress" }, credentials: "same-origin" });
      if (answer.redirected) return location.assign(answer.url);
      if (answer.ok) next = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
    } catch {
      // the server is away: look again later
    }
    if (next && next.innerHTML !== region().innerHTML) region().replaceWith(next);
    const asked = Number((next || region()).dataset.live);
    if (asked) wait(next ? Math.max(asked, Math.min(seconds * 1.2, LONGEST)) : Math.min(seconds * 2, LONGEST));
  }, seconds * 1000);
}

const first = Number(region()?.dataset.live);
if (first) wait(first);
