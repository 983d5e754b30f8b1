// Choose the time zone of the person's own clock, where they have chosen none yet. Without this script the language makes a guess.
const zones = document.querySelector("select[name=zone]");
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;

if (zones && !document.querySelector(".errors") && [...zones.options].some((option) => option.value === own)) zones.value = own;
