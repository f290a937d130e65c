console.log("wasp");
