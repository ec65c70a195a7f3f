(() => {
  const note = document.getElementById("age"), made = Date.parse(note.dataset.made);
  const span = (minutes) => {
    const [count, unit] = minutes < 120 ? [minutes, "minute"] : minutes < 2880 ? [minutes / 60, "hour"] : [minutes / 1440, "day"];
    return `${Math.floor(count)} ${unit}s`;
  };
  const tell = () => {
    const minutes = (Date.now() - made) / 60000;
    if (minutes < 15) return;
    note.textContent = `This page was made ${span(minutes)} ago: what happened since then is not on it.`;
    note.hidden = false;
  };
  tell();
  setInterval(tell, 60000);
})();
