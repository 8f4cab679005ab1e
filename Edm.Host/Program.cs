using Edm.Host.Commands;
using Edm.Host.Hosting;

NativeMemory.Limit();
return await EdmCommandLine.RunAsync(args);
