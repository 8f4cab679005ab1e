namespace Edm.Engine.Services.Replies;

/// <summary>What the server was asked when it gave the reply; it tells whom a reply without clear words is about.</summary>
public enum ReplyStage
{
    /// <summary>Not known, or before the mail.</summary>
    None,

    /// <summary>MAIL FROM: the reply is about the sender.</summary>
    Mail,

    /// <summary>RCPT TO: about the recipient.</summary>
    Rcpt,

    /// <summary>The end of data: about the mail itself.</summary>
    Data,
}
