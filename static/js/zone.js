// Choose the time zone of the person's own clock, where they have chosen none yet. Without this script, and on a clock that is set to no
// place, the language's guess stands.
const zones = document.querySelector("select[name=zone]");
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;

if (zones && own.includes("/") && !document.querySelector(".errors") && [...zones.options].some((option) => option.value === own)) zones.value = own;
