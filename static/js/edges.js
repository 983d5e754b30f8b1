// Show that a table goes on beyond the right edge: a fade there, gone once its end is in sight. It scrolls without this script too.
const mark = (region) => region.classList.toggle("more", region.scrollWidth - region.clientWidth - region.scrollLeft > 1);
const markScrolled = ({ currentTarget }) => mark(currentTarget);

const sizes = new ResizeObserver((changed) => changed.forEach(({ target }) => mark(target)));
function watchEdges(within) {
  for (const region of within.querySelectorAll(".scroll")) {
    sizes.observe(region);
    region.addEventListener("scroll", markScrolled, { passive: true }); // the same listener counts once
    mark(region);
  }
}

watchEdges(document);
document.addEventListener("renewed", ({ target }) => watchEdges(target));
