// The site's theme, which the server has written into the page, wins over the one unfold remembers by itself.
const chosen = ["dark", "light"].find((theme) => document.documentElement.classList.contains(theme));
localStorage.setItem("adminTheme", JSON.stringify(chosen ?? "auto"));
