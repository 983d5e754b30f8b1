// Close an open menu as people expect: on Escape, and on a click elsewhere. Menus open and close without this script too.
const MENUS = "details.menu, details.switcher, details.account, details.scope-menu";
const opened = () => [...document.querySelectorAll(MENUS)].filter((menu) => menu.open);

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const innermost = opened().filter((menu) => menu.contains(document.activeElement)).pop();
  if (!innermost) return;
  innermost.open = false;
  innermost.querySelector("summary").focus();
});

document.addEventListener("click", (event) => {
  for (const menu of opened()) if (!menu.contains(event.target)) menu.open = false;
});
