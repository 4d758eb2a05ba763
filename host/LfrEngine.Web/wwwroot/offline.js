"use strict";

setInterval(() => fetch("/theme.css", { cache: "no-store" }).then(answer => answer.ok && location.reload(), () => { }), 3000);
