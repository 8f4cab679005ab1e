namespace Edm.Engine.Content.Mime;

internal static class Hex
{
    /// <summary>The digit of 0 to 15, in upper case as RFC 2045, 6.7 and RFC 2047, 4.2 want it.</summary>
    public static byte Upper(int value) => "0123456789ABCDEF"u8[value];
}
