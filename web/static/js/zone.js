// Tells the server the device's time zone, so that times on the pages are local ones.
const { zone } = document.body.dataset;
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && here && !document.cookie.split("; ").includes(zone + "=" + here)) {
  document.cookie = `${zone}=${here}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
}
