// Show that a table goes on beyond the right edge: a fade there, gone once its end is in sight. It scrolls without this script too.
const regions = [...document.querySelectorAll(".scroll")];
const mark = (region) => region.classList.toggle("more", region.scrollWidth - region.clientWidth - region.scrollLeft > 1);

const sizes = new ResizeObserver((changed) => changed.forEach(({ target }) => mark(target)));
for (const region of regions) {
  sizes.observe(region);
  region.addEventListener("scroll", () => mark(region), { passive: true });
}
