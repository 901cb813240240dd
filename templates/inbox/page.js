// Keeps the list as it is on the server. Without this script there is a link to load the page again.
(() => {
  const [list, offline, news, clear] = ["list", "offline", "news", "clear"].map((id) => document.getElementById(id));
  const newest = () => list.querySelector("nav a");

  const refresh = async () => {
    const answer = await fetch(location.href, { cache: "no-store" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("list");
    if (!fresh || fresh.innerHTML === list.innerHTML) return;
    const before = newest()?.href;
    const focused = list.contains(document.activeElement) && document.activeElement.getAttribute("href");
    list.replaceChildren(...fresh.childNodes);
    if (focused) list.querySelector(`a[href="${focused}"]`)?.focus();
    if (newest() && newest().href !== before) {
      news.textContent = `New: ${newest().querySelector(".title").textContent}`;
    }
  };
  const look = async () => {
    offline.hidden = await refresh().then(() => true, () => false);
  };

  // A browser has few connections to one place: pages that nobody sees do without.
  let stream;
  let again;
  const rest = () => {
    clearTimeout(again);
    stream?.close();
  };
  const listen = () => {
    rest();
    stream = new EventSource("/events");
    stream.onmessage = look;
    stream.onerror = () => {
      look();
      // Whoever was refused has to ask again; whoever was cut off does so without being told.
      if (stream.readyState === EventSource.CLOSED) again = setTimeout(listen, 5000);
    };
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : listen()));
  if (!document.hidden) listen();

  clear.hidden = false;
  clear.addEventListener("click", async () => {
    await fetch("/api/messages", { method: "DELETE" });
    location.assign("/");
  });
})();
