// Follow a file's background job, show how columns would be read while they are chosen, and mark where files may be dropped.
const followed = document.querySelector("[data-follow]");
if (followed) {
  const busy = ["looking", "importing", "undoing"];
  let wait = 800;
  const look = async () => {
    if (document.hidden) return setTimeout(look, 2000);
    try {
      const answer = await fetch(followed.dataset.follow, { headers: { "X-Part": "progress" } });
      if (!answer.ok || answer.redirected) return location.reload();
      const part = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("progress");
      if (!part || !busy.includes(part.dataset.stage)) return location.reload();
      show(part);
      wait = Math.min(wait * 1.25, 5000);
    } catch { wait = 5000; }
    return setTimeout(look, wait);
  };
  // Only what changed is written, so that a screen reader hears a step and not every count.
  const show = (part) => {
    const here = document.getElementById("progress");
    for (const name of [".step", "progress", ".card-title"]) {
      const [was, is] = [here.querySelector(name), part.querySelector(name)];
      if (was && is && was.outerHTML !== is.outerHTML) was.replaceWith(is);
    }
  };
  setTimeout(look, wait);
}

const asked = document.querySelector("form[data-preview]");
if (asked) {
  let soon;
  asked.addEventListener("input", () => {
    clearTimeout(soon);
    soon = setTimeout(async () => {
      const answer = await fetch(location.href, { method: "POST", body: new FormData(asked), headers: { "X-Part": "preview" } });
      const part = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("preview");
      if (part) document.getElementById("preview").replaceWith(part);
    }, 350);
  });
}

const drop = document.querySelector(".drop");
if (drop) {
  for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) drop.addEventListener(name, () => drop.classList.toggle("over", over));
}
