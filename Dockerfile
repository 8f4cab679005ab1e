# docker build -t edm .
# docker run -d --name edm -p 127.0.0.1:7025:7025 -v edm-data:/data --stop-timeout 35 edm
# docker exec edm cat /data/admin.key
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /src

# Only what decides about packages, so that this layer lasts until one of them changes.
COPY Directory.Build.props Directory.Packages.props ./
COPY Edm.Contracts/Edm.Contracts.csproj Edm.Contracts/
COPY Edm.Engine/Edm.Engine.csproj Edm.Engine/
COPY Edm.Host/Edm.Host.csproj Edm.Host/
RUN dotnet restore Edm.Host/Edm.Host.csproj -p:Configuration=Release

COPY .editorconfig ./
COPY hocon/ hocon/
COPY Edm.Contracts/ Edm.Contracts/
COPY Edm.Engine/ Edm.Engine/
COPY Edm.Host/ Edm.Host/
RUN dotnet publish Edm.Host/Edm.Host.csproj --configuration Release --no-restore --output /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0
# The account of the base image that may do nothing else. The volume takes over owner and mode of this folder.
RUN install --directory --owner=$APP_UID --group=$APP_UID --mode=0700 /data
COPY --from=build /app /app
USER $APP_UID
VOLUME /data

# Everywhere else the API listens on loopback only; in a container that would be nowhere. Publish the port to where it should be reached from.
ENV EDM_DATA=/data EDM_HTTP=http://0.0.0.0:7025
EXPOSE 7025

# SIGTERM drains for up to 30 seconds: give it --stop-timeout 35.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["dotnet", "/app/Edm.Host.dll", "health"]
ENTRYPOINT ["dotnet", "/app/Edm.Host.dll"]
CMD ["run"]
