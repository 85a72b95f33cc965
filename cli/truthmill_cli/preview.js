/** What the crowd form would send goes to the command that serves this page. */
document.addEventListener("truthmill-answer", async (event) => {
  const answer = await fetch("/answer", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(event.detail),
  });
  event.target.say((await answer.json()).message);
});
