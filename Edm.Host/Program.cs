using Edm.Host.Commands;

return await EdmCommandLine.RunAsync(args);
